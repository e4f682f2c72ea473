"""The reference: what a phase decides, stated as plainly as possible.

In: steps as declared, whole texts. Out: what the phase comes to. Never: anything from the
optimizer, the merge of edits or the runtime; it is allowed to be slow.
"""

from collections.abc import Iterable

import attrs

from kt.patterns.decoding import decoded_runs
from kt.patterns.matcher import compile_rules
from kt.plan import Scan, Step
from kt.policy import Action, Derived, Finding, Outcome, Rule

STRONGEST_FIRST = (Action.BLOCK, Action.ESCALATE)


@attrs.frozen(kw_only=True)
class NaiveResult:
    """What a phase comes to."""

    outcome: Outcome
    may_be_named: frozenset[str] = frozenset()
    """Every policy that alone would have led to it: a plan may name any of them."""
    texts: tuple[str, ...] = ()
    """The texts that go on; none where nothing goes on."""
    recorded: frozenset[tuple[str, Outcome]] = frozenset()


@attrs.frozen
class _Found:
    """One span to be replaced."""

    start: int
    end: int
    rank: tuple[int, int, int, int]
    rule: Rule


def decide(steps: Iterable[Step], texts: tuple[str, ...]) -> NaiveResult:
    """Take the steps in declared order; all of them look. Block beats escalation beats redaction.

    Only scans of the original text are known here: nothing else runs yet.
    """
    scans = sorted((step for step in steps if isinstance(step.body, Scan)), key=_order)
    outcomes = [(step, _outcome(step, texts)) for step in scans]
    recorded = frozenset((step.name, outcome) for step, outcome in outcomes)
    for action in STRONGEST_FIRST:
        outcome = Outcome(action.value)
        named = frozenset(step.name for step, one in outcomes if one is outcome)
        if named:
            return NaiveResult(outcome=outcome, may_be_named=named, recorded=recorded)
    is_edited = any(outcome is Outcome.REDACT for _, outcome in outcomes)
    return NaiveResult(
        outcome=Outcome.REDACT if is_edited else Outcome.ALLOW,
        texts=tuple(_redact(scans, text) for text in texts),
        recorded=recorded,
    )


def _order(step: Step) -> int:
    return step.order


def _outcome(step: Step, texts: tuple[str, ...]) -> Outcome:
    scan = _scan(step)
    is_found = any(_findings(scan, text) for text in texts)
    return Outcome(scan.action.value) if is_found else Outcome.ALLOW


def _scan(step: Step) -> Scan:
    assert isinstance(step.body, Scan)  # noqa: S101 - `decide` has left out the others
    return step.body


def _findings(scan: Scan, text: str) -> list[Finding]:
    rules = compile_rules(scan.rules)
    found = list(rules.find(text))
    for run in decoded_runs(text) if scan.decode else ():
        found += [Finding(one.rule, run.start, run.end) for one in rules.find(run.text)]
    return found


def _redact(steps: list[Step], text: str) -> str:
    """Replace every found span, byte by byte: what hangs together, who leads, what shows."""
    data = text.encode()
    found = [one for step in steps for one in _spans(step, text)]
    shown = bytearray()
    at = 0
    while at < len(data):
        group = _group_at(at, found)
        end = max((one.end for one in group), default=at + 1)
        shown += _shown(group, data[at:end]).encode() if group else data[at:end]
        at = end
    return shown.decode()


def _spans(step: Step, text: str) -> list[_Found]:
    scan = _scan(step)
    if scan.action is not Action.REDACT:
        return []
    return [
        _Found(
            one.start,
            one.end,
            (one.start, -scan.rules[one.rule].severity, step.order, one.rule),
            scan.rules[one.rule],
        )
        for one in _findings(scan, text)
    ]


def _group_at(start: int, found: list[_Found]) -> list[_Found]:
    """The spans that begin at `start` and all that hang together with them to the right."""
    group = [one for one in found if one.start == start]
    while group:
        end = max(one.end for one in group)
        grown = [one for one in found if start <= one.start < end]
        if len(grown) == len(group):
            break
        group = grown
    return group


def _shown(group: list[_Found], original: bytes) -> str:
    leader = min(group, key=lambda one: one.rank).rule
    is_alone = len({(one.start, one.end, one.rule) for one in group}) == 1
    if leader.derived is None or not is_alone:
        return leader.label
    text = original.decode()
    if leader.derived is Derived.SAME_LENGTH:
        return (leader.label + "*" * len(text))[: len(text)]
    return "*" * len(text) if len(text) <= 8 else "*" * (len(text) - 4) + text[-4:]
