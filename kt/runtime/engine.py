"""Run the stages of one phase over the segments of a request or a whole answer.

Theory of operation. A phase is a sequence of stages; each step's check is a function from segments
to a verdict. Inline checks run here and now, one after the other, because a task would only cost;
where the steps of a stage are fused, one search for all their rules comes first, and only if it
finds something does each look on its own. Where a body is so large that its check would hold up
everybody else, it runs in a thread whose result is abandoned at the deadline. Checks that wait (for
a thread, for the network) come last in their stage and run in one nursery: the first real block
cancels the rest, trouble waits for its siblings. The first block ends the phase, because detectors
on original text commute: later ones could only add names to a block.

Rules of this file: no exception leaves a check (it becomes `failed`); every step has a deadline,
its own or what is left of the request's policy budget, whichever is less; a verdict that is in hand
is used, however late, because dropping a found block or redaction would never be safer; what may
see only redacted text sees none where a policy that redacts could not answer; a step whose `when`
is false is as if it were not there: it says nothing, has no trouble, and nobody waits for it.
"""

import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from types import MappingProxyType

import attrs
import trio

from kt.exchange import Segment
from kt.filters.evaluation import Predicate
from kt.filters.facts import FilterFacts
from kt.patterns.decoding import decoded_runs
from kt.patterns.matcher import RuleSet, compile_rules
from kt.patterns.scanner import IsOver, OutOfTime
from kt.plan import Ask, NotEnforced, Scan, Stage, Step
from kt.policy import ALLOW, Action, Cost, Edit, Finding, Outcome, Sees, Verdict
from kt.runtime.conditions import NO_FACTS, condition_of
from kt.runtime.moderation import About
from kt.runtime.redacted import RedactedText, redacted
from kt.runtime.settle import Decision, Judged, settle

Check = Callable[[tuple[Segment, ...], IsOver], Verdict | Awaitable[Verdict]]
"""Answers at once, or with something to wait for where its step waits for the network. Raises
OutOfTime when it is told that its time is over."""

Asker = Callable[[Step, About], Check]
"""Who asks a service: makes the check of a step for one request."""
Askers = Mapping[Ask, Asker]
NO_ASKERS: Askers = MappingProxyType({})
NOBODY = About()

INLINE_BYTES = 256 * 1024
"""Text above this goes to a thread (RE2 releases the interpreter lock): about a millisecond."""
INLINE_BYTES_UNBOUNDED = 2 * 1024
"""The same where a rule's match may be of any length: finding all of them may read text again."""


LATE = Verdict(outcome=Outcome.LATE)
FAILED = Verdict(outcome=Outcome.FAILED)
UNEVALUABLE = Verdict(outcome=Outcome.UNEVALUABLE)


THREADS = 8
"""How many checks of large texts run at once; one more is `late` at once, like the deadline's."""


@attrs.define
class PolicyBudget:
    """The seconds of policy time that one request still has, over input and output together."""

    remaining: float
    threads: trio.CapacityLimiter
    """The gateway's own: a thread that was abandoned keeps its place until it ends."""


@attrs.frozen
class BoundStep:
    """A step of the plan and the function that performs it."""

    step: Step
    check: Check
    inline_bytes: int = INLINE_BYTES
    """The most text that is checked without a thread."""
    gate: RuleSet | None = None
    """The rules of this step and of those that it is fused with: where none of them matches, all
    of them allow."""
    applies: Predicate | None = attrs.field(
        default=attrs.Factory(lambda self: condition_of(self.step), takes_self=True), eq=False
    )
    """Whether the step is for a request; None: for every one."""

    asks: Callable[[About], Check] | None = attrs.field(default=None, eq=False)
    """Makes the check for one request, where a service is told of it; None: it is `check`."""

    def is_for(self, facts: FilterFacts) -> bool:
        """Whether the step is for the request of which these are the facts."""
        return self.applies is None or self.applies(facts)


def bind(
    stages: tuple[Stage, ...], askers: Askers = NO_ASKERS
) -> tuple[tuple[BoundStep, ...], ...]:
    """Turn the plan's data into functions, once, when the plan is loaded.

    A step that is not enforced has none: it answers nothing, and no event says that it did.
    Raises KeyError for a step that asks where nobody does.
    """
    return tuple(_bind_stage(stage, askers) for stage in stages)


def _bind_stage(stage: Stage, askers: Askers) -> tuple[BoundStep, ...]:
    bound = tuple(bind_step(step, askers) for step in stage.steps if is_performed(step))
    fused = [one.step.body for one in bound if _may_share_a_pass(one.step)]
    if len(fused) < 2:
        return bound
    gate = compile_rules(
        tuple(rule for body in fused if isinstance(body, Scan) for rule in body.rules)
    )
    gate.warm()
    return tuple(
        attrs.evolve(one, gate=gate) if _may_share_a_pass(one.step) else one for one in bound
    )


def _may_share_a_pass(step: Step) -> bool:
    is_whole = isinstance(step.body, Scan) and not step.body.decode
    return is_whole and not waits(step) and step.facts.sees is Sees.ORIGINAL


def is_performed(step: Step) -> bool:
    """Whether there is anything to do for a step."""
    return not isinstance(step.body, NotEnforced)


def waits(step: Step) -> bool:
    """Whether a step's check is no matter of a moment."""
    return step.facts.cost is not Cost.INLINE


def local(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The stages without what asks a service: all that can be known here."""
    kept = (tuple(one for one in each.steps if not isinstance(one.body, Ask)) for each in stages)
    pairs = zip(stages, kept, strict=True)
    return tuple(attrs.evolve(stage, steps=steps) for stage, steps in pairs if steps)


def bind_step(step: Step, askers: Askers = NO_ASKERS) -> BoundStep:
    """The function that performs a step that reads text."""
    scan = step.body
    if isinstance(scan, Ask):
        return BoundStep(step, _unasked, asks=partial(askers[scan], step))
    if not isinstance(scan, Scan):
        raise TypeError(f"'{step.name}' does not read text")
    rules = compile_rules(scan.rules)

    def check(segments: tuple[Segment, ...], is_over: IsOver) -> Verdict:
        found = [_find(rules, scan, segment.text, is_over) for segment in segments]
        return _verdict(step, scan, found)

    return BoundStep(step, check, inline_bytes(rules))


def _unasked(_segments: tuple[Segment, ...], _is_over: IsOver) -> Verdict:
    return UNEVALUABLE


def inline_bytes(rules: RuleSet) -> int:
    """The most text that is searched without a thread."""
    return INLINE_BYTES if rules.is_bounded else INLINE_BYTES_UNBOUNDED


def _find(rules: RuleSet, scan: Scan, text: str, is_over: IsOver) -> list[Finding]:
    found = list(rules.find(text, is_over))
    if "base64" in scan.decode:
        for run in decoded_runs(text):
            inside = rules.find(run.text, is_over)
            found += [Finding(one.rule, run.start, run.end) for one in inside]
    return found


def _verdict(step: Step, scan: Scan, found: list[list[Finding]]) -> Verdict:
    everything = [finding for findings in found for finding in findings]
    if not everything:
        return ALLOW
    edits: tuple[Edit, ...] = ()
    if scan.action is Action.REDACT:
        edits = tuple(
            edit_of(step, scan, at, finding)
            for at, findings in enumerate(found)
            for finding in findings
        )
    return Verdict(
        outcome=Outcome(scan.action.value),
        edits=edits,
        rule=scan.rules[everything[0].rule].id,
        spans=tuple(finding.end - finding.start for finding in everything),
    )


def edit_of(step: Step, scan: Scan, segment: int, finding: Finding) -> Edit:
    """The edit that a redacting step asks for where its rule matched."""
    rule = scan.rules[finding.rule]
    return Edit(
        segment=segment,
        start=finding.start,
        end=finding.end,
        label=rule.label,
        derived=rule.derived,
        severity=rule.severity,
        order=step.order,
        rule=finding.rule,
    )


async def judge(
    stages: tuple[tuple[BoundStep, ...], ...],
    segments: tuple[Segment, ...],
    budget: PolicyBudget,
    facts: FilterFacts = NO_FACTS,
    about: About = NOBODY,
) -> Decision:
    """Run a phase and settle it. Cancellation: nothing is left running but abandoned threads.

    `facts` say which steps are for this request; with none given, every `when` sees absent fields.
    `about` is what services are told of it.
    """
    judged: list[Judged] = []
    size = sum(len(segment.text) for segment in segments)
    for stage in stages:
        text = PhaseText(segments, size, tuple(judged), about)
        steps = [one for one in stage if one.is_for(facts)]
        judged += await _one_by_one([one for one in steps if not waits(one.step)], text, budget)
        waiting = [one for one in steps if waits(one.step)]
        if waiting and not _ends(judged):
            judged += await _at_once(waiting, text, budget)
        if _ends(judged):
            break
    return settle(judged)


def _ends(judged: Sequence[Judged]) -> bool:
    return any(one.verdict.outcome is Outcome.BLOCK for one in judged)


@attrs.frozen
class PhaseText:
    """What the steps of a stage may see: the text, and what earlier stages found in it."""

    segments: tuple[Segment, ...]
    size: int
    """How many characters there are in all segments."""
    judged: tuple[Judged, ...]
    about: About = NOBODY

    def redacted(self) -> RedactedText | None:
        """The redacted text: the compiler has put every editor into an earlier stage."""
        return redacted(self.segments, self.judged)


async def _one_by_one(
    steps: Sequence[BoundStep], text: PhaseText, budget: PolicyBudget
) -> list[Judged]:
    """Run checks that need not wait, up to the first block."""
    judged: list[Judged] = []
    for gate, fused in groupby(steps, key=lambda one: one.gate):
        members = tuple(fused)
        since = trio.current_time()
        # One alone asks for less by itself.
        if gate is not None and len(members) > 1 and _finds_nothing(gate, text, budget):
            share = (trio.current_time() - since) / len(members)
            judged += [Judged(one.step, ALLOW, share) for one in members]
            continue
        for one in members:
            started = trio.current_time()
            judged.append(await _judge_step(one, text, budget))
            budget.remaining -= trio.current_time() - started
            if _ends(judged):
                return judged
    return judged


def _finds_nothing(gate: RuleSet, text: PhaseText, budget: PolicyBudget) -> bool:
    """Whether one search for the rules of all members shows that none of them matches.

    It looks for those of members that are not for this request too: a match only means that each
    of the others looks for itself.
    """
    if budget.remaining <= 0 or text.size > inline_bytes(gate):
        return False
    started = trio.current_time()
    try:
        # No time for a rule alone: the search for all of them answers, or nothing does.
        return not any(gate.find(segment.text, lambda: True) for segment in text.segments)
    except Exception:
        # Somebody's rule matches, or there is a bug: whose, shows when each looks for itself.
        return False
    finally:
        budget.remaining -= trio.current_time() - started


async def _at_once(
    steps: Sequence[BoundStep], text: PhaseText, budget: PolicyBudget
) -> list[Judged]:
    """Run checks that wait together: a real block cancels the others, trouble waits for them."""
    answers: dict[int, Judged] = {}
    started = trio.current_time()

    async def run(at: int, one: BoundStep, others: trio.CancelScope) -> None:
        answers[at] = await _judge_step(one, text, budget)
        if answers[at].verdict.outcome is Outcome.BLOCK:
            others.cancel()

    async with trio.open_nursery() as nursery:
        for at, one in enumerate(steps):
            nursery.start_soon(run, at, one, nursery.cancel_scope)
    budget.remaining -= trio.current_time() - started
    # In the order of the plan, not of the answers.
    return [answers[at] for at in sorted(answers)]


async def _judge_step(bound: BoundStep, text: PhaseText, budget: PolicyBudget) -> Judged:
    """One step's verdict on the text that it may see, in offsets of the original."""
    started = trio.current_time()
    if bound.asks is not None:
        bound = attrs.evolve(bound, check=bound.asks(text.about))
    if bound.step.facts.sees is Sees.ORIGINAL:
        verdict = await _answer(bound, text.segments, text.size, budget)
    elif (view := text.redacted()) is None:
        verdict = UNEVALUABLE
    else:
        verdict = await _answer(bound, view.segments, text.size, budget)
        edits = tuple(view.original(edit) for edit in verdict.edits)
        verdict = attrs.evolve(verdict, edits=edits)
    return Judged(bound.step, verdict, trio.current_time() - started)


async def _answer(
    bound: BoundStep, segments: tuple[Segment, ...], size: int, budget: PolicyBudget
) -> Verdict:
    seconds = min(bound.step.limit.seconds, budget.remaining)
    started = trio.current_time()
    if seconds <= 0:
        return LATE
    if bound.step.facts.cost is Cost.NETWORK:
        return await _awaited(bound.check, segments, seconds)
    if bound.step.facts.cost is Cost.THREAD or size > bound.inline_bytes:
        return await _in_thread(bound.check, segments, seconds, budget.threads)
    return _guarded(bound.check, segments, lambda: trio.current_time() - started >= seconds)


async def _awaited(check: Check, segments: tuple[Segment, ...], seconds: float) -> Verdict:
    with trio.move_on_after(seconds) as scope:
        try:
            answer = check(segments, lambda: scope.cancel_called)
            return answer if isinstance(answer, Verdict) else await answer
        except OutOfTime:
            return LATE
        except Exception:
            return FAILED
    return LATE


async def _in_thread(
    check: Check, segments: tuple[Segment, ...], seconds: float, threads: trio.CapacityLimiter
) -> Verdict:
    if threads.available_tokens < 1:
        return LATE
    is_over = threading.Event()
    try:
        with trio.move_on_after(seconds):
            return await trio.to_thread.run_sync(
                _guarded,
                check,
                segments,
                is_over.is_set,
                abandon_on_cancel=True,
                limiter=threads,
            )
        return LATE
    finally:
        # The abandoned thread sees it before its next search, and ends.
        is_over.set()


def _guarded(check: Check, segments: tuple[Segment, ...], is_over: IsOver) -> Verdict:
    try:
        answer = check(segments, is_over)
    except OutOfTime:
        return LATE
    except Exception:
        # Around a policy's check: a bug in one is trouble of that step, not of all.
        return FAILED
    # What would have to be waited for is a bug here: only the network's checks may do that.
    return answer if isinstance(answer, Verdict) else FAILED
