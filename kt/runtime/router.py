"""Who is asked: the plan's routing, bound to upstreams and to what is known of them.

In: a request's format, model and facts. Out: its course, attempt by attempt. Raises GatewayError
where nobody can be asked. Never: a target without its key or its address.
"""

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import trio

from kt.errors import GatewayError
from kt.filters.evaluation import compile_filter
from kt.filters.facts import FilterFacts
from kt.plan import Plan, Target
from kt.routing.backoff import Chance, RetryBudget
from kt.routing.course import Attempt, Course, soonest
from kt.routing.health import TargetHealth
from kt.routing.strategies import Candidate, Candidates, Moment, ordered
from kt.routing.values import Member, ModelGroup, Route, Routing, Strategy
from kt.runtime.identity import chance
from kt.runtime.upstream import Upstream
from kt.wire.format import Format

FAULTS = frozenset({"upstream_cut", "inter_chunk_timeout", "bad_response"})
"""What goes wrong after a good head and counts against the target."""

NO_KEY = "no provider has its key; the gateway's log says which are missing"


def serves(target: Target, form: Format) -> bool:
    """Whether a target can be asked in this format: what declares none is asked in any."""
    return target.format in (None, form.dialect)


@attrs.frozen
class _Scope:
    """Who may be asked for a request, in which way, and who after them."""

    name: tuple[str, ...]
    """Requests that begin with a scope of this name take turns; all names are of the plan."""
    strategy: Strategy
    members: tuple[Member, ...]
    then: "_Scope | None" = None


class Router:
    """The targets of one gateway."""

    def __init__(self, plan: Plan, upstreams: tuple[Upstream, ...], draw: Chance = chance) -> None:
        self._rules = plan.routing
        self._upstreams = {one.target.id: one for one in upstreams}
        window = plan.routing.window.seconds
        self.health = {
            one.target.id: TargetHealth.of(one.target.id, one.target.breaker, window)
            for one in upstreams
        }
        self._budget = RetryBudget(trio.current_time())
        self._turns: Counter[tuple[str, ...]] = Counter()
        self._chance = draw
        self._routes = tuple((compile_filter(one.when), one) for one in self._rules.routes)
        self._groups = {
            name: group for group in self._rules.groups for name in (group.name, *group.aliases)
        }
        self._renamings = {(one.model, one.target): one.name for one in self._rules.renamings}
        everybody = tuple(_member(target) for target in plan.targets)
        self._everybody = _with_last(_Scope((), self._rules.strategy, everybody), self._rules)

    def __repr__(self) -> str:
        return f"<Router of {', '.join(self._upstreams)}>"

    def upstream(self, attempt: Attempt) -> Upstream:
        """The upstream that an attempt asks."""
        return self._upstreams[attempt.candidate.health.id]

    def course(self, form: Format, model: str, facts: FilterFacts, deadline: float) -> Course:
        """Who may be asked for a request, in which order. Raises GatewayError `unknown_model`."""
        candidates = self._candidates(form, model, facts, trio.current_time())
        return Course(candidates, self._rules, self._budget, self._chance, deadline)

    def first(self, course: Course) -> Attempt:
        """The first attempt. Raises GatewayError: `circuit_open`, or for want of a key."""
        now = trio.current_time()
        attempt = course.first(now)
        if attempt is None:
            raise _nobody(course.candidates, now)
        return attempt

    def _candidates(self, form: Format, model: str, facts: FilterFacts, now: float) -> Candidates:
        found: list[Candidate] = []
        first = self._scope(model, facts)
        moment = self._moment(first, now)
        scope: _Scope | None = first
        while scope is not None:
            found += self._in_order(scope, form, model, moment)
            scope = scope.then
        return tuple(found)

    def _moment(self, first: _Scope, now: float) -> Moment:
        """One turn per request, of its first scope: who only follows would skip turns of others."""
        turn = self._turns[first.name]
        self._turns[first.name] += 1
        least = self._rules.min_samples.value
        return Moment(now=now, turn=turn, chance=self._chance, min_samples=least)

    def _in_order(self, scope: _Scope, form: Format, model: str, moment: Moment) -> Candidates:
        there = tuple(
            self._candidate(member, model)
            for member in scope.members
            if member.target in self._upstreams
            and serves(self._upstreams[member.target].target, form)
        )
        return ordered(scope.strategy, there, moment)

    def _candidate(self, member: Member, model: str) -> Candidate:
        name = self._renamings.get((model, member.target), member.model)
        return Candidate(self.health[member.target], name, member.weight)

    def _scope(self, model: str, facts: FilterFacts) -> _Scope:
        route = next((one for applies, one in self._routes if applies(facts)), None)
        scope = self._by_model(model)
        return scope if route is None or route.target is None else _pinned(route, scope, self)

    def _by_model(self, model: str) -> _Scope:
        if not self._rules.groups:
            return self._everybody
        if model in self._groups:
            return self._of_group(self._groups[model])
        members = self._everybody.members
        named = tuple(one for one in members if model in (one.model, one.target))
        found = named or tuple(one for one in members if one.model is None)
        if not found and not any(model == one for one, _ in self._renamings):
            raise GatewayError("unknown_model", "no target or group of this gateway has this model")
        name = ("model", model) if named else ("models",)
        return attrs.evolve(self._everybody, name=name, members=found or members)

    def _of_group(self, group: ModelGroup) -> _Scope:
        then = None if group.fallback is None else self._of_group(self._groups[group.fallback])
        return _Scope(("group", group.name), group.strategy, group.members, then)

    def everybody(self, target: str) -> tuple[Member, ...]:
        """The target of that name as a member."""
        return tuple(one for one in self._everybody.members if one.target == target)


def _with_last(scope: _Scope, rules: Routing) -> _Scope:
    """The scope with the target that only stands in for others after them."""
    last = None if rules.fallback is None else rules.fallback.last
    if last is None:
        return scope
    others = tuple(one for one in scope.members if one.target != last.target)
    then = _Scope(("last",), Strategy.ORDERED, (last,))
    return attrs.evolve(scope, members=others, then=then)


def _member(target: Target) -> Member:
    return Member(target=target.id, model=target.model, weight=target.weight)


def _pinned(route: Route, scope: _Scope, router: Router) -> _Scope:
    """One target: with the name that a group gives the model there, where it is in one."""
    members = tuple(one for one in scope.members if one.target == route.target)
    found = members or router.everybody(route.target or "")
    return _Scope(("route", route.name), Strategy.ORDERED, found[:1])


def _nobody(candidates: Candidates, now: float) -> GatewayError:
    if not candidates:
        return GatewayError("upstream_auth", NO_KEY)
    seconds = max(1, math.ceil(soonest(candidates, now)))
    headers = (
        (b"retry-after", str(seconds).encode()),
        (b"retry-after-ms", str(seconds * 1000).encode()),
    )
    message = "every target that could answer has failed too often and is left alone for now"
    return GatewayError("circuit_open", message, headers=headers)


class Trial:
    """One attempt under way; its target is told once how it ended."""

    def __init__(self, attempt: Attempt) -> None:
        self.health: TargetHealth = attempt.candidate.health
        self._permit = attempt.permit
        self._is_told = False

    def head(self, waited: float) -> None:
        """A good head is here: what a probe is for, and a latency."""
        self.health.window.add(trio.current_time(), waited)
        if self._permit.is_probe:
            self.succeed()

    def succeed(self) -> None:
        """The target did its part."""
        if not self._is_told:
            self._is_told = True
            self.health.passed(self._permit)

    def fail(self) -> None:
        """The target failed."""
        if not self._is_told:
            self._is_told = True
            self.health.failure(self._permit, trio.current_time())

    def drop(self) -> None:
        """What happened says nothing about the target."""
        if not self._is_told:
            self._is_told = True
            self.health.dropped(self._permit)


@contextmanager
def under_way(course: Course, attempt: Attempt) -> Iterator[Trial]:
    """Hold an attempt's leave; who is cancelled counts as neither success nor failure."""
    course.begin(attempt)
    trial = Trial(attempt)
    try:
        yield trial
    except GatewayError as error:
        if error.code in FAULTS:
            trial.fail()
        trial.succeed()
        raise
    else:
        trial.succeed()
    finally:
        trial.drop()
        trial.health.leave()
