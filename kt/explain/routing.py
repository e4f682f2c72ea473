"""How targets are chosen, and what follows their failures, as rows; nothing of what is as always.

In: Plan. Out: rows of name, words and origin.
"""

from collections.abc import Iterator

from kt.filters.printing import show
from kt.plan import Plan
from kt.routing.values import Member, Routing, Strategy, Trigger
from kt.units import show_duration


def routing_rows(plan: Plan) -> Iterator[tuple[str, ...]]:
    """What a plan says of routing."""
    rules = plan.routing
    for route in rules.routes:
        to = "as without it" if route.target is None else f"to {route.target}"
        yield f"route {route.name}", f"{to} when {show(route.when)}", route.origin
    for group in rules.groups:
        names = "".join(f", also {alias}" for alias in group.aliases)
        then = "" if group.fallback is None else f", then {group.fallback}"
        members = ", ".join(map(_member, group.members))
        words = f"{group.strategy.value} of {members}{then}{names}"
        yield f"group {group.name}", words, group.origin
    for one in rules.renamings:
        yield f"model {one.model}", f"is {one.name} at {one.target}", ""
    if rules.strategy is not Strategy.ORDERED:
        yield "strategy", rules.strategy.value, ""
    yield from _failing(rules)
    for target in plan.targets:
        if (rule := target.breaker) is not None:
            words = f"left alone for {show_duration(rule.cooldown.seconds)} after"
            times = f"{rule.failures.value} failures in a row, then {rule.probes.value} tries"
            yield f"circuit {target.id}", f"{words} {times}", rule.failures.origin


def _failing(rules: Routing) -> Iterator[tuple[str, ...]]:
    if (retry := rules.retry) is not None:
        words = f"{retry.attempts.value} attempts at each target on {_words(retry.triggers)}"
        yield "retry", words, retry.attempts.origin
    if (fallback := rules.fallback) is not None:
        last = "" if fallback.last is None else f", {_member(fallback.last)} last"
        words = f"{fallback.attempts.value} more targets on {_words(fallback.triggers)}{last}"
        yield "fallback", words, fallback.attempts.origin
    if (health := rules.health) is not None:
        words = f"GET {health.path} every {show_duration(health.interval.seconds)}"
        yield "probes", words, health.interval.origin


def _words(triggers: frozenset[Trigger]) -> str:
    return ", ".join(sorted(one.value for one in triggers))


def _member(member: Member) -> str:
    model = "" if member.model is None else f" as {member.model}"
    weight = "" if member.weight == 1.0 else f" ({member.weight:g})"
    return f"{member.target}{model}{weight}"
