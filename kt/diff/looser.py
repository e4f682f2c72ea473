"""What a new plan lets pass that the old one did not.

In: two plans. Out: claims, each with a witness that both plans were run on, or with its reason.
Never: "nothing" where that is not proved; "can pass" without a text that does or a stated reason.

The proof. Detectors on original text commute, and a phase's decision is the strongest of their
verdicts. So if every acting rule of the old plan is a rule of the new one, with an action at least
as strong, then whatever the old plan refused or redacted the new one refuses or redacts too.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from itertools import chain, islice, permutations
from types import MappingProxyType

import attrs

from kt.edits import apply
from kt.errors import HouseBug
from kt.exchange import Segment, Surface
from kt.patterns.samples import samples
from kt.patterns.scanner import never
from kt.plan import Plan, Scan, Step
from kt.policy import Action, OnTrouble, Outcome, Phase, Rule, Verdict, View
from kt.runtime.engine import BoundStep, bind_step
from kt.runtime.settle import Decision, Judged, settle

STRENGTH = MappingProxyType({Action.BLOCK: 3, Action.ESCALATE: 2, Action.REDACT: 1})
"""What an action does to a text; the others let it pass."""

WORDS = ("please", "write to", "the number is", "and then", "as I said before,")


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


@attrs.frozen
class Answer:
    """Everything that can pass now, and how sure that is."""

    proof: Proof
    looser: tuple[Looser, ...]
    tried: int
    """How many generated texts were run."""


@attrs.frozen
class Lost:
    """A rule of the old plan that no step of the new one has with the same strength."""

    step: Step
    rule: Rule


Bound = Mapping[Phase, tuple[BoundStep, ...]]
"""A plan's scans, ready to run."""


@attrs.frozen
class Sides:
    """Both plans, bound once for all texts."""

    old: Bound
    new: Bound


def newly_allowed(old: Plan, new: Plan, tries: int) -> Answer:
    """What can pass now; up to `tries` texts are generated where a proof is missing."""
    lost = [one for phase in (Phase.INPUT, Phase.OUTPUT) for one in _lost(old, new, phase)]
    found = [*_limits(old, new), *_trouble(old, new)]
    sides = Sides(_bound(old), _bound(new))
    found += [one for each in lost for one in _witnessed(sides, each)]
    if found or not lost:
        return Answer(Proof.FOUND if found else Proof.PROVED, tuple(found), 0)
    generated = tuple(_generated(old, new, sides, tries))
    return Answer(Proof.FOUND if generated else Proof.NOT_FOUND, generated, tries)


def _bound(plan: Plan) -> Bound:
    return MappingProxyType(
        {
            phase: tuple(
                bind_step(step) for step in plan.steps(phase) if isinstance(step.body, Scan)
            )
            for phase in (Phase.INPUT, Phase.OUTPUT)
        }
    )


def _lost(old: Plan, new: Plan, phase: Phase) -> Iterator[Lost]:
    kept = [
        (_strength(step), step.body) for step in new.steps(phase) if isinstance(step.body, Scan)
    ]
    for step in old.steps(phase):
        if not isinstance(step.body, Scan) or not _strength(step):
            continue
        strong = [body for strength, body in kept if strength >= _strength(step)]
        known = {_meaning(rule, body.decode) for body in strong for rule in body.rules}
        for rule in step.body.rules:
            if _meaning(rule, step.body.decode) not in known:
                yield Lost(step, rule)


def _strength(step: Step) -> int:
    return STRENGTH.get(step.body.action, 0) if isinstance(step.body, Scan) else 0


def _meaning(rule: Rule, decode: tuple[str, ...]) -> tuple[str, View, str | None, tuple[str, ...]]:
    return (rule.pattern, rule.view, rule.validator, decode)


def _limits(old: Plan, new: Plan) -> Iterator[Looser]:
    for name in ("request_body", "response_body", "stream_hold"):
        before, after = getattr(old.sizes, name).value, getattr(new.sizes, name).value
        if after > before:
            reason = f"{name} grew from {before} to {after} bytes"
            yield Looser("limits", name, reason, None, "refused", "judged")
    if new.enabled and not old.enabled:
        yield Looser("plan", "enabled", "the pack was switched off", None, "refused", "judged")


def _trouble(old: Plan, new: Plan) -> Iterator[Looser]:
    """Policies that let pass what they cannot evaluate, and did not, or had more time for it."""
    for phase in (Phase.INPUT, Phase.OUTPUT):
        before = {step.name: step for step in old.steps(phase)}
        for step in new.steps(phase):
            was = before.get(step.name)
            if was is None or step.on_trouble is OnTrouble.BLOCK:
                continue
            if was.on_trouble is OnTrouble.BLOCK:
                reason = "it lets pass what it cannot evaluate"
                yield Looser(phase.value, step.name, reason, None, "refused", "allowed")
            elif _time(new, step) < _time(old, was):
                reason = "it has less time and lets pass what it cannot evaluate in it"
                yield Looser(phase.value, step.name, reason, None, "judged", "allowed")


def _time(plan: Plan, step: Step) -> float:
    return min(step.limit.seconds, plan.timeouts.policy.seconds)


def _witnessed(sides: Sides, lost: Lost) -> Iterator[Looser]:
    for text in samples(lost.rule, 3):
        found = _compare(sides, lost.step.phase, text)
        if found is not None:
            yield attrs.evolve(found, policy=lost.step.name, reason=f"rule {lost.rule.id}")
            return


def _generated(old: Plan, new: Plan, sides: Sides, tries: int) -> Iterator[Looser]:
    for phase in (Phase.INPUT, Phase.OUTPUT):
        compared = (_compare(sides, phase, text) for text in _texts(old, new, phase, tries // 2))
        yield from islice((found for found in compared if found is not None), 1)


def _texts(old: Plan, new: Plan, phase: Phase, count: int) -> Iterator[str]:
    """Samples of both plans' rules, alone and beside each other and harmless words."""
    bodies = [step.body for plan in (old, new) for step in plan.steps(phase)]
    rules = [rule for body in bodies if isinstance(body, Scan) for rule in body.rules]
    parts = [*WORDS, *(text for rule in rules for text in samples(rule, 3))]
    together = (permutations(parts, length) for length in (1, 2, 3))
    yield from islice((" ".join(one) for one in chain.from_iterable(together)), count)


def _compare(sides: Sides, phase: Phase, text: str) -> Looser | None:
    """The text as a witness, if the new plan refuses it no more or shows more of it."""
    before, after = _decide(sides.old[phase], text), _decide(sides.new[phase], text)
    is_freed = before.step is not None and after.step is None
    is_bared = before.outcome is Outcome.REDACT and _shows(after, text) == text
    if not (is_freed or is_bared):
        return None
    name = before.step.name if before.step is not None else "a redaction"
    return Looser(phase.value, name, "", text, before.outcome.value, after.outcome.value)


def _decide(steps: tuple[BoundStep, ...], text: str) -> Decision:
    """The decision of a phase on one text, by the checks and settling of the runtime."""
    segments = (Segment(Surface.USER, text, ()),)
    return settle([Judged(one.step, _answer(one, segments)) for one in steps])


def _answer(bound: BoundStep, segments: tuple[Segment, ...]) -> Verdict:
    verdict = bound.check(segments, never)
    if not isinstance(verdict, Verdict):
        raise HouseBug(f"'{bound.step.name}' scans and yet waits")
    return verdict


def _shows(decision: Decision, text: str) -> str | None:
    """What goes on of the text: None where nothing does."""
    return apply(text.encode(), decision.edits).decode() if decision.step is None else None
