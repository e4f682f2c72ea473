"""Run the stages of one phase over the segments of a request or a whole answer.

Theory of operation. A phase is a sequence of stages; each step's check is a plain function from
segments to a verdict. Inline checks run here and now, because a task would only cost. Where a body
is so large that its check would hold up everybody else, it runs in a thread whose result is
abandoned at the deadline. The first block ends the phase, because detectors on original text
commute: later ones could only add names to a block.

Rules of this file: no exception leaves a check (it becomes `failed`); every step has a deadline,
its own or what is left of the request's policy budget, whichever is less; a verdict that is in hand
is used, however late, because dropping a found block or redaction would never be safer.
"""

import threading
from collections.abc import Callable

import attrs
import trio

from kt.exchange import Segment
from kt.patterns.decoding import decoded_runs
from kt.patterns.matcher import RuleSet, compile_rules
from kt.patterns.scanner import IsOver, OutOfTime
from kt.plan import NotEnforced, Scan, Stage, Step
from kt.policy import ALLOW, Action, Edit, Finding, Outcome, Verdict
from kt.runtime.settle import Decision, Judged, settle

Check = Callable[[tuple[Segment, ...], IsOver], Verdict]
"""Raises OutOfTime when it is told that its time is over."""

INLINE_BYTES = 256 * 1024
"""Text above this goes to a thread (RE2 releases the interpreter lock): about a millisecond."""
INLINE_BYTES_UNBOUNDED = 2 * 1024
"""The same where a rule's match may be of any length: finding all of them may read text again."""


LATE = Verdict(outcome=Outcome.LATE)


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


def bind(stages: tuple[Stage, ...]) -> tuple[tuple[BoundStep, ...], ...]:
    """Turn the plan's data into functions, once, when the plan is loaded.

    A step that is not enforced has none: it answers nothing, and no event says that it did.
    """
    return tuple(
        tuple(bind_step(step) for step in stage.steps if is_performed(step)) for stage in stages
    )


def is_performed(step: Step) -> bool:
    """Whether there is anything to do for a step."""
    return not isinstance(step.body, NotEnforced)


def bind_step(step: Step) -> BoundStep:
    """The function that performs a step that reads text."""
    scan = step.body
    if not isinstance(scan, Scan):
        raise TypeError(f"'{step.name}' does not read text")
    rules = compile_rules(scan.rules)

    def check(segments: tuple[Segment, ...], is_over: IsOver) -> Verdict:
        found = [_find(rules, scan, segment.text, is_over) for segment in segments]
        return _verdict(step, scan, found)

    return BoundStep(step, check, INLINE_BYTES if rules.is_bounded else INLINE_BYTES_UNBOUNDED)


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
    stages: tuple[tuple[BoundStep, ...], ...], segments: tuple[Segment, ...], budget: PolicyBudget
) -> Decision:
    """Run a phase and settle it. Cancellation: nothing is left running but abandoned threads."""
    size = sum(len(segment.text) for segment in segments)
    judged: list[Judged] = []
    for stage in stages:
        for bound in stage:
            judged.append(await _judge_step(bound, segments, size, budget))
            if judged[-1].verdict.outcome is Outcome.BLOCK:
                return settle(judged)
    return settle(judged)


async def _judge_step(
    bound: BoundStep, segments: tuple[Segment, ...], size: int, budget: PolicyBudget
) -> Judged:
    seconds = min(bound.step.limit.seconds, budget.remaining)
    started = trio.current_time()
    if seconds <= 0:
        return Judged(bound.step, LATE)
    if size <= bound.inline_bytes:
        verdict = _guarded(bound.check, segments, lambda: trio.current_time() - started >= seconds)
    else:
        verdict = await _in_thread(bound.check, segments, seconds, budget.threads)
    spent = trio.current_time() - started
    budget.remaining -= spent
    return Judged(bound.step, verdict, spent)


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
        return check(segments, is_over)
    except OutOfTime:
        return LATE
    except Exception:
        # The one place around a policy's check: a bug in one is trouble of that step, not of all.
        return Verdict(outcome=Outcome.FAILED)
