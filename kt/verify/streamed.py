"""One answer in pieces through the rules of the plan, held against the whole one.

In: the declared steps, the plan's rules for streams, a case. Out: what differs, or None. The law is
that of design section 3: however an answer is cut, the client sees what it would see of the whole
one, or a prefix of it from before what is refused.
"""

import attrs

from kt.exchange import Lane, Surface
from kt.plan import Scan, Step
from kt.policy import OnTrouble
from kt.runtime.fused import Found, Late, StreamRules
from kt.runtime.window import Blocked
from kt.verify.cases import Case
from kt.verify.naive import REFUSING, NaiveResult, applying, decide, first_refused, redact

HOLD = 2**40
"""No hold of the proof reaches its cap: how much may be held is not what it is about."""


@attrs.frozen
class Played:
    """What became of a streamed answer."""

    shown: tuple[str, ...]
    """What the client saw of each text; of those that had begun."""
    found: tuple[Found, ...]
    stopped: Blocked | Late | None


def play(rules: StreamRules, case: Case) -> Played:
    """Let the answer come, one text after the other, up to what stops it."""
    shown: list[str] = []
    found: list[Found] = []
    pieces_fed = 0

    def is_over() -> bool:
        return case.late_after is not None and pieces_fed > case.late_after

    for number, text in enumerate(case.texts):
        lane = rules.lane(Lane(number, Surface.CONTENT), HOLD, is_over)
        shown.append("")
        try:
            for piece in case.pieces(text):
                pieces_fed += 1
                shown[-1] += lane.feed(piece)
            shown[-1] += lane.finish()
        except (Blocked, Late) as stop:
            return Played(tuple(shown), tuple(found), stop)
        finally:
            found += lane.found
    return Played(tuple(shown), tuple(found), None)


def difference(declared: tuple[Step, ...], rules: StreamRules, case: Case) -> str | None:
    """What the streamed answer is otherwise than the whole one; None where it is the same."""
    there = [_undecoded(step) for step in applying(declared, case.facts)]
    active = rules.for_request(case.facts)
    if {step.name for step in active.steps} != {step.name for step in there}:
        return "streamed, other steps are at work"
    played = play(active, case)
    if isinstance(played.stopped, Late):
        return _of_late(there, played.stopped) or _of_prefix(there, case, played)
    if case.late_after is not None and not _closing(there):
        return None  # nobody closes the gate: what could not be judged passes as it came
    wanted = decide(there, case.texts, case.facts)
    if played.stopped is not None:
        return _of_refusal(wanted, played.stopped) or _of_prefix(there, case, played)
    return _of_end(wanted, active, played)


def _undecoded(step: Step) -> Step:
    """In a stream nothing is decoded (docs/streaming.md)."""
    return attrs.evolve(step, body=attrs.evolve(_scan(step), decode=()))


def _scan(step: Step) -> Scan:
    assert isinstance(step.body, Scan)  # noqa: S101 - `applying` has left out the others
    return step.body


def _closing(there: list[Step]) -> list[Step]:
    return [step for step in there if step.on_trouble is OnTrouble.BLOCK]


def _of_late(there: list[Step], stopped: Late) -> str | None:
    closing = _closing(there)
    if closing and stopped.step.name == closing[0].name:
        return None
    return f"streamed, the plan is late by '{stopped.step.name}', who does not close the gate first"


def _of_refusal(wanted: NaiveResult, stopped: Blocked) -> str | None:
    refusing = {name for name, outcome in wanted.recorded if outcome in REFUSING}
    if stopped.step.name in refusing:
        return None
    return f"streamed, the plan refuses by '{stopped.step.name}', who does not refuse the whole"


def _of_end(wanted: NaiveResult, active: StreamRules, played: Played) -> str | None:
    if any(outcome in REFUSING for _, outcome in wanted.recorded):
        return "streamed, the plan lets pass what is refused as a whole"
    if played.shown != wanted.texts:
        return "streamed, the plan shows another text"
    verdicts = active.verdicts(list(played.found), None)
    recorded = {
        (step.name, verdict.outcome) for step, verdict in zip(active.steps, verdicts, strict=True)
    }
    return None if recorded == wanted.recorded else "streamed, the plan records something else"


def _of_prefix(there: list[Step], case: Case, played: Played) -> str | None:
    """Nothing from behind the refused byte may have been seen, and all of it redacted."""
    for text, shown in zip(case.texts, played.shown, strict=False):
        if not redact(there, text, first_refused(there, text)).startswith(shown):
            return "streamed, the plan shows more than stands before what is refused"
    return None
