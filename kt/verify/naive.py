"""The reference: what a phase decides, stated as plainly as possible.

In: steps as declared, whole texts, what is known of the request. Out: what the phase comes to.
Never: anything from the optimizer, the merge of edits or the runtime; it is allowed to be slow.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import attrs

from kt.filters.evaluation import compile_filter
from kt.filters.facts import FilterFacts
from kt.patterns.decoding import decoded_runs
from kt.patterns.matcher import compile_rules
from kt.plan import Scan, Step
from kt.policy import Action, Derived, Finding, OnTrouble, Outcome, Rule

REFUSING = frozenset({Outcome.BLOCK, Outcome.ESCALATE})

NOTHING_KNOWN = FilterFacts(MappingProxyType({}))
NO_TROUBLE: Mapping[int, Outcome] = MappingProxyType({})


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


def applying(steps: Iterable[Step], facts: FilterFacts) -> list[Step]:
    """The scans that are for a request, in declared order; the others are as if not declared.

    Only scans of the original text are known here: nothing else runs yet.
    """
    scans = (step for step in steps if isinstance(step.body, Scan))
    there = [step for step in scans if step.when is None or compile_filter(step.when)(facts)]
    return sorted(there, key=_order)


def decide(
    steps: Iterable[Step],
    texts: tuple[str, ...],
    facts: FilterFacts = NOTHING_KNOWN,
    trouble: Mapping[int, Outcome] = NO_TROUBLE,
) -> NaiveResult:
    """Take the steps in declared order; all of them look, but those in trouble.

    Block beats trouble that its owner closes the gate for, that beats escalation, that redaction.
    """
    there = applying(steps, facts)
    outcomes = [(step, trouble.get(step.order) or _outcome(step, texts)) for step in there]
    recorded = frozenset((step.name, outcome) for step, outcome in outcomes)
    closing = [pair for pair in outcomes if _closes(*pair)][:1]
    for group in (_those(outcomes, Outcome.BLOCK), closing, _those(outcomes, Outcome.ESCALATE)):
        if group:
            named = frozenset(step.name for step, _ in group)
            return NaiveResult(outcome=group[0][1], may_be_named=named, recorded=recorded)
    return NaiveResult(
        outcome=Outcome.REDACT if _those(outcomes, Outcome.REDACT) else Outcome.ALLOW,
        texts=tuple(
            redact([step for step in there if step.order not in trouble], text) for text in texts
        ),
        recorded=recorded,
    )


def _those(outcomes: list[tuple[Step, Outcome]], wanted: Outcome) -> list[tuple[Step, Outcome]]:
    return [pair for pair in outcomes if pair[1] is wanted]


def _closes(step: Step, outcome: Outcome) -> bool:
    return outcome.is_trouble and step.on_trouble is OnTrouble.BLOCK


def first_refused(steps: list[Step], text: str) -> int | None:
    """The first byte of what a policy blocks or escalates for; None where none does."""
    starts = [
        finding.start
        for step in steps
        if Outcome(_scan(step).action.value) in REFUSING
        for finding in _findings(_scan(step), text)
    ]
    return min(starts, default=None)


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


def redact(steps: list[Step], text: str, until: int | None = None) -> str:
    """Replace every found span, byte by byte: what hangs together, who leads, what shows.

    With `until`, only what begins before that byte is shown.
    """
    data = text.encode()
    found = [one for step in steps for one in _spans(step, text)]
    shown = bytearray()
    at = 0
    while at < (len(data) if until is None else until):
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
