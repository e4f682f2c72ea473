"""Resolve who is asked: strategy, model groups, names of models, routes.

In: the configuration and its resolved targets. Out: the plan's routing. Names that nothing has, and
routes that no request reaches, are reported.
"""

from collections.abc import Iterator, Mapping

import attrs

from kt.compiler.failing import DEFAULT, resolve_fallback, resolve_health, resolve_retry
from kt.compiler.fields import Text
from kt.compiler.model import Config
from kt.compiler.provider_sections import ModelGroup, Share
from kt.compiler.strategies import strategy_of
from kt.diagnostics import Related, Report
from kt.limits import Count, Limit
from kt.plan import Target
from kt.routing import values as plan
from kt.routing.values import MIN_SAMPLES, WINDOW, Member, Renaming, Routing, Strategy


def resolve_routing(config: Config, targets: tuple[Target, ...], report: Report) -> Routing:
    """The routing of a configuration."""
    names = _Names.of(config, targets, report)
    window, samples = _window(config, report)
    fallback = config.providers.fallback
    word = None if fallback is None else fallback.provider
    last = None
    if fallback is not None and word is not None:
        last = names.member(Share(provider=word, model=fallback.model, span=word.span))
    groups = tuple(_groups(config.model_groups, names, report))
    _check_names(config.model_groups, report)
    return Routing(
        strategy=_strategy(_written_strategy(config)),
        window=window,
        min_samples=samples,
        retry=resolve_retry(config.gateway.retry, report),
        fallback=resolve_fallback(fallback, last, report),
        groups=groups,
        renamings=tuple(_renamings(config, names)),
        routes=_routes(config, names, report),
        health=resolve_health(config.health_monitor, report),
    )


def _routes(config: Config, names: "_Names", report: Report) -> tuple[plan.Route, ...]:
    if not config.routes:
        return ()
    from kt.compiler.routes import resolve_routes  # NOT: at the top. Few configs have routes.

    return resolve_routes(config.routes, names.target, report)


def _written_strategy(config: Config) -> Text | None:
    fallback = config.providers.fallback
    of_fallback = None if fallback is None else fallback.strategy
    return config.providers.routing.strategy or of_fallback


def _strategy(written: Text | None) -> Strategy:
    return (None if written is None else strategy_of(written.value)) or Strategy.ORDERED


def _window(config: Config, report: Report) -> tuple[Limit, Count]:
    routing, fallback = config.providers.routing, config.providers.fallback
    window, samples = Limit(WINDOW, origin=DEFAULT), Count(MIN_SAMPLES, origin=DEFAULT)
    if fallback is not None and fallback.latency_window is not None:
        given = fallback.latency_window
        window = Limit(given.value, origin=report.source.place(given.span))
    if (seconds := routing.window_seconds) is not None:
        window = Limit(float(seconds.value), origin=report.source.place(seconds.span))
    if (least := routing.min_sample_count) is not None:
        samples = Count(least.value, origin=report.source.place(least.span))
    return window, samples


@attrs.frozen
class _Names:
    """What targets may be called: their ids, else their providers."""

    by_name: Mapping[str, Target]
    stand_in: Target | None
    """The one target of the command line, where the file has none: every name means it."""
    report: Report

    @classmethod
    def of(cls, config: Config, targets: tuple[Target, ...], report: Report) -> "_Names":
        """The names of a configuration's targets."""
        written = config.providers.targets
        by_id = {target.id: target for target in targets}
        by_provider: dict[str, Target] = {}
        for one in written:
            if one.provider is not None and one.id.value in by_id:
                vendor = one.provider.value.partition(":")[0]
                by_provider.setdefault(vendor, by_id[one.id.value])
        stand_in = targets[0] if targets and not written else None
        return cls({**by_provider, **by_id}, stand_in, report)

    def target(self, name: Text) -> str | None:
        """The id of the target that a name means; None where there is none, which is reported."""
        if name.value in self.by_name:
            return self.by_name[name.value].id
        if self.by_name and self.stand_in is None:
            known = ", ".join(dict.fromkeys(one.id for one in self.by_name.values()))
            hint = self.report.suggest(name.value, self.by_name) or f"there are {known}"
            self.report.add("unknown_target", name.span, word=name.value, hint=hint)
            return None
        # A fragment: its targets are in another file, or on the command line.
        return name.value if self.stand_in is None else self.stand_in.id

    def member(self, share: Share) -> Member | None:
        """A member of a group, or None where its target is not there."""
        name = share.id or share.target or share.provider
        if name is None:
            self.report.add("missing_key", share.span, word="target", hint="or name the provider")
            return None
        target = self.target(name)
        if target is None:
            return None
        own = self.by_name[name.value].model if name.value in self.by_name else None
        model = own if share.model is None else share.model.value
        weight = 1.0 if share.weight is None else share.weight
        return Member(target=target, model=model, weight=weight)


def _groups(
    written: tuple[ModelGroup, ...], names: _Names, report: Report
) -> Iterator[plan.ModelGroup]:
    known = {one.name.value for one in written}
    for group in written:
        fallback = group.fallback_group
        if fallback is not None and fallback.value not in known:
            hint = report.suggest(fallback.value, known)
            report.add("unknown_group", fallback.span, word=fallback.value, hint=hint)
        members = (names.member(share) for share in (*group.targets, *group.models))
        yield plan.ModelGroup(
            name=group.name.value,
            aliases=tuple(one.value for one in group.aliases),
            strategy=_group_strategy(group),
            members=tuple(one for one in members if one is not None),
            fallback=None if fallback is None else fallback.value,
            origin=report.source.place(group.span),
        )


def _group_strategy(group: ModelGroup) -> Strategy:
    """Its own, else by the weights that it gives, else as declared."""
    has_weights = any(share.weight is not None for share in (*group.targets, *group.models))
    if group.strategy is None and has_weights:
        return Strategy.WEIGHTED
    return _strategy(group.strategy)


def _check_names(groups: tuple[ModelGroup, ...], report: Report) -> None:
    first: dict[str, Text] = {}
    for name in (name for group in groups for name in (group.name, *group.aliases)):
        if name.value in first:
            related = (Related("first given", first[name.value].span),)
            report.add("model_name_twice", name.span, word=name.value, related=related)
        first.setdefault(name.value, name)
    after = {one.name.value: one.fallback_group for one in groups}
    for group in groups:
        if _comes_back(group.name.value, after):
            report.add("group_cycle", group.name.span, word=group.name.value)


def _comes_back(name: str, after: Mapping[str, Text | None]) -> bool:
    at, seen = after[name], {name}
    while at is not None and at.value in after:
        if at.value in seen:
            return True
        seen.add(at.value)
        at = after[at.value]
    return False


def _renamings(config: Config, names: _Names) -> Iterator[Renaming]:
    for model, by_target in config.model_mapping:
        for target, name in by_target:
            found = names.target(Text(target, name.span))
            if found is not None:
                yield Renaming(model=model, target=found, name=name.value)
