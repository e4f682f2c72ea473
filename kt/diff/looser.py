"""What a new plan lets pass that the old one did not.

In: two plans. Out: claims, each with a witness that both plans were run on, or with its reason.
Never: "nothing" where that is not proved; "can pass" without a text that does or a stated reason.

The proof. Detectors on original text commute, and a phase's decision is the strongest of their
verdicts. So if every acting rule of the old plan is a rule of the new one, with an action at least
as strong and for at least the same requests, then whatever the old plan refused or redacted the
new one refuses or redacts too. That one condition implies others is proved by `kt.filters`.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import lru_cache
from itertools import chain, islice, permutations, product
from types import MappingProxyType

import attrs

from kt.diff.witness import Sent, Sight, asks_for, example, request_with
from kt.edits import apply
from kt.errors import HouseBug
from kt.exchange import Segment, Surface
from kt.filters.analysis import implies, satisfiable
from kt.filters.facts import FilterFacts
from kt.filters.solving import Answer as Known
from kt.filters.syntax import Always, Filter, Not, all_of, any_of
from kt.patterns.samples import samples
from kt.patterns.scanner import never
from kt.plan import Ask, Plan, Scan, Step
from kt.policy import Action, OnTrouble, Outcome, Phase, Rule, Verdict, View
from kt.runtime.conditions import NO_FACTS, PROVIDER
from kt.runtime.engine import BoundStep, bind_step
from kt.runtime.settle import Decision, Judged, settle

STRENGTH = MappingProxyType({Action.BLOCK: 3, Action.ESCALATE: 2, Action.REDACT: 1})
"""What an action does to a text; the others let it pass."""

WORDS = ("please", "write to", "the number is", "and then", "as I said before,")


PHASES = (Phase.INPUT, Phase.OUTPUT)

TRUE = Always(always=True)

Meaning = tuple[str, View, str | None, tuple[str, ...]]
"""What a rule finds: its pattern, its view, its validator and what is decoded first."""

MOST_EXAMPLES = 50
"""How many kinds of requests are tried where conditions ask about them."""


class Proof(Enum):
    """How sure the answer is."""

    PROVED = "proved"
    """Nothing that was refused or redacted can pass now."""
    FOUND = "found"
    """Something can, and here it is."""
    NOT_FOUND = "not_found"
    """It is not proved that nothing can, and nothing was found."""


@attrs.frozen
class Looser:
    """Something that can pass now."""

    phase: str
    policy: str
    reason: str
    witness: str | None
    """A text that ends differently; None where the difference is not one of texts."""
    old: str
    new: str
    request: Sent | None = None
    """The request with which it does, where a condition asks about requests."""


@attrs.frozen
class Answer:
    """Everything that can pass now, and how sure that is."""

    proof: Proof
    looser: tuple[Looser, ...]
    tried: int
    """How many generated texts were run."""


@attrs.frozen
class Lost:
    """A rule of the old plan that no step of the new one has, as strong and for all requests."""

    phase: Phase
    step: Step
    rule: Rule
    gap: Filter
    """The requests for which it may be lost."""
    is_kept_for_some: bool

    @property
    def reason(self) -> str:
        """What was lost, for people."""
        return "for fewer requests" if self.is_kept_for_some else f"rule {self.rule.id}"


@attrs.frozen
class Side:
    """One plan's scans, ready to run."""

    phases: Mapping[Phase, tuple[BoundStep, ...]]
    sight: Sight

    @classmethod
    def of(cls, plan: Plan) -> "Side":
        """Bind a plan once for all texts."""
        scans = {
            phase: tuple(
                bind_step(step) for step in plan.steps(phase) if isinstance(step.body, Scan)
            )
            for phase in PHASES
        }
        return cls(MappingProxyType(scans), Sight.of(plan))


@attrs.frozen
class Sides:
    """Both plans."""

    old: Side
    new: Side

    @property
    def ask(self) -> bool:
        """Whether a condition of either looks at requests."""
        return self.old.sight.reader.is_needed or self.new.sight.reader.is_needed


def newly_allowed(old: Plan, new: Plan, tries: int) -> Answer:
    """What can pass now; up to `tries` texts are generated where a proof is missing."""
    lost = [one for phase in PHASES for one in _lost(old, new, phase)]
    found = [*_limits(old, new), *_trouble(old, new)]
    sides = Sides(Side.of(old), Side.of(new))
    found += _all_witnessed(sides, lost)
    if found or not (lost or _asks_less(old, new)):
        return Answer(Proof.FOUND if found else Proof.PROVED, tuple(found), 0)
    generated = tuple(_generated(old, new, sides, lost, tries))
    return Answer(Proof.FOUND if generated else Proof.NOT_FOUND, generated, tries)


def _lost(old: Plan, new: Plan, phase: Phase) -> Iterator[Lost]:
    kept = [step for step in new.steps(phase) if _strength(step)]
    is_elsewhere = [one.id for one in old.targets] != [one.id for one in new.targets]
    for step in old.steps(phase):
        if not isinstance(step.body, Scan) or not _strength(step):
            continue
        conditions = _conditions([one for one in kept if _strength(one) >= _strength(step)])
        for rule in step.body.rules:
            found = conditions.get(_meaning(rule, step.body.decode), ())
            # Where other targets are asked, the same request is another one to this question.
            is_same = not (is_elsewhere and asks_for((step.when, *found), PROVIDER))
            if not (found and is_same and _is_covered(step.when, found)):
                gap = _gap(step.when, found) if is_same else TRUE
                yield Lost(phase, step, rule, gap, is_kept_for_some=bool(found))


def _asks_less(old: Plan, new: Plan) -> bool:
    """Whether a service is not asked any more, or otherwise: what it lets pass is not known."""
    return any(_services(old, phase) - _services(new, phase) for phase in PHASES)


def _services(plan: Plan, phase: Phase) -> frozenset[tuple[Ask, Filter | None]]:
    steps = plan.steps(phase)
    return frozenset((one.body, one.when) for one in steps if isinstance(one.body, Ask))


def _conditions(steps: list[Step]) -> Mapping[Meaning, tuple[Filter | None, ...]]:
    """For which requests each rule is looked for."""
    found: dict[Meaning, dict[Filter | None, None]] = {}
    for step in steps:
        if isinstance(step.body, Scan):
            for rule in step.body.rules:
                found.setdefault(_meaning(rule, step.body.decode), {})[step.when] = None
    return {meaning: tuple(conditions) for meaning, conditions in found.items()}


@lru_cache(maxsize=256)
def _is_covered(condition: Filter | None, others: tuple[Filter | None, ...]) -> bool:
    """Whether each request for which the one is true is one for which another is: proved."""
    if None in others or condition in others:
        return True
    return implies(condition or TRUE, _any(others)).answer is Known.YES


def _gap(condition: Filter | None, others: tuple[Filter | None, ...]) -> Filter:
    return all_of((condition or TRUE, Not(_any(others))))


def _any(conditions: tuple[Filter | None, ...]) -> Filter:
    return any_of(one or TRUE for one in conditions)


def _strength(step: Step) -> int:
    return STRENGTH.get(step.body.action, 0) if isinstance(step.body, Scan) else 0


def _meaning(rule: Rule, decode: tuple[str, ...]) -> Meaning:
    return (rule.pattern, rule.view, rule.validator, decode)


def _limits(old: Plan, new: Plan) -> Iterator[Looser]:
    for name in ("request_body", "response_body", "stream_hold"):
        before, after = getattr(old.sizes, name).value, getattr(new.sizes, name).value
        if after > before:
            reason = f"{name} grew from {before} to {after} bytes"
            yield Looser("limits", name, reason, None, "refused", "judged")
    if new.enabled and not old.enabled:
        yield Looser("plan", "enabled", "the pack was switched off", None, "refused", "judged")
    for pattern in new.passthrough:
        if pattern not in old.passthrough:
            reason = "these paths are forwarded unread"
            yield Looser("passthrough", pattern, reason, None, "refused", "allowed")


def _trouble(old: Plan, new: Plan) -> Iterator[Looser]:
    """Policies that let pass what they cannot evaluate, and did not, or had more time for it."""
    for phase in PHASES:
        before = {step.name: step for step in old.steps(phase)}
        for step in new.steps(phase):
            was = before.get(step.name)
            if was is None or step.on_trouble is OnTrouble.BLOCK or _are_apart(was, step):
                continue
            if was.on_trouble is OnTrouble.BLOCK:
                reason = "it lets pass what it cannot evaluate"
                yield Looser(phase.value, step.name, reason, None, "refused", "allowed")
            elif _time(new, step) < _time(old, was):
                reason = "it has less time and lets pass what it cannot evaluate in it"
                yield Looser(phase.value, step.name, reason, None, "judged", "allowed")


def _are_apart(was: Step, step: Step) -> bool:
    """Whether no request has both."""
    both = all_of((was.when or TRUE, step.when or TRUE))
    return satisfiable(both).answer is Known.NO


def _time(plan: Plan, step: Step) -> float:
    return min(step.limit.seconds, plan.timeouts.policy.seconds)


def _all_witnessed(sides: Sides, lost: list[Lost]) -> Iterator[Looser]:
    """A witness for each rule that was lost; one for all that a step looks for less often."""
    told: set[tuple[Phase, str, Filter]] = set()
    for one in lost:
        place = (one.phase, one.step.name, one.gap)
        if not (one.is_kept_for_some and place in told):
            for found in _witnessed(sides, one):
                told.add(place)
                yield found


def _witnessed(sides: Sides, lost: Lost) -> Iterator[Looser]:
    for text in samples(lost.rule, 3):
        for facts in _examples([lost.gap, lost.step.when]):
            found = _compare(sides, lost.phase, text, facts)
            if found is not None:
                yield attrs.evolve(found, policy=lost.step.name, reason=lost.reason)
                return


def _examples(conditions: Iterable[Filter | None]) -> list[FilterFacts]:
    """Requests for which each of the conditions is true, as far as they are known."""
    asked = list(dict.fromkeys(one or TRUE for one in conditions))[:MOST_EXAMPLES]
    found = [facts for one in asked if (facts := example(one)) is not None]
    return found or [NO_FACTS]


def _generated(
    old: Plan, new: Plan, sides: Sides, lost: list[Lost], tries: int
) -> Iterator[Looser]:
    for phase in PHASES:
        steps = (*old.steps(phase), *new.steps(phase))
        conditions = [step.when for step in steps if step.when is not None]
        examples = _examples(
            [None, *(one.gap for one in lost), *conditions, *map(Not, conditions)]
            if sides.ask
            else [None]
        )
        pairs = product(_texts(old, new, phase, tries // 2), examples)
        compared = (
            _compare(sides, phase, text, facts) for text, facts in islice(pairs, tries // 2)
        )
        yield from islice((found for found in compared if found is not None), 1)


def _texts(old: Plan, new: Plan, phase: Phase, count: int) -> Iterator[str]:
    """Samples of both plans' rules, alone and beside each other and harmless words."""
    bodies = [step.body for plan in (old, new) for step in plan.steps(phase)]
    rules = [rule for body in bodies if isinstance(body, Scan) for rule in body.rules]
    parts = [*WORDS, *(text for rule in rules for text in samples(rule, 3))]
    together = (permutations(parts, length) for length in (1, 2, 3))
    yield from islice((" ".join(one) for one in chain.from_iterable(together)), count)


def _compare(
    sides: Sides, phase: Phase, text: str, wanted: FilterFacts = NO_FACTS
) -> Looser | None:
    """The text as a witness, if the new plan refuses it no more or shows more of it."""
    sent = request_with(wanted, phase, text)
    if sent is None:
        return None
    texts = sent.texts if phase is Phase.INPUT else (text,)
    before, after = (
        _decide(side, phase, texts, side.sight.facts(sent, phase, wanted))
        for side in (sides.old, sides.new)
    )
    is_freed = before.step is not None and after.step is None
    is_bared = before.outcome is Outcome.REDACT and _shows(after, texts) == texts
    if not (is_freed or is_bared):
        return None
    name = before.step.name if before.step is not None else "a redaction"
    found = Looser(phase.value, name, "", text, before.outcome.value, after.outcome.value)
    return attrs.evolve(found, request=sent) if sides.ask else found


def _decide(side: Side, phase: Phase, texts: tuple[str, ...], facts: FilterFacts) -> Decision:
    """The decision of a phase on some texts, by the checks and settling of the runtime."""
    segments = tuple(Segment(Surface.USER, text, ()) for text in texts)
    there = (one for one in side.phases[phase] if one.is_for(facts))
    return settle([Judged(one.step, _answer(one, segments)) for one in there])


def _answer(bound: BoundStep, segments: tuple[Segment, ...]) -> Verdict:
    verdict = bound.check(segments, never)
    if not isinstance(verdict, Verdict):
        raise HouseBug(f"'{bound.step.name}' scans and yet waits")
    return verdict


def _shows(decision: Decision, texts: tuple[str, ...]) -> tuple[str, ...]:
    """What goes on of the texts: nothing where they are refused."""
    if decision.step is not None:
        return ()
    return tuple(
        apply(text.encode(), [edit for edit in decision.edits if edit.segment == at]).decode()
        for at, text in enumerate(texts)
    )
