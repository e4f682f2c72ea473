"""What a kind that is a list of rules finds, for its tests."""

from kt.edits import apply
from kt.patterns.matcher import compile_rules
from kt.plan import Scan
from kt.policies import PolicyKind
from kt.policy import Edit, Phase


def scan(kind: PolicyKind, phase: Phase = Phase.INPUT) -> Scan:
    """The body of a kind that is enforced."""
    body = kind.body(phase)
    assert isinstance(body, Scan)
    return body


def found(kind: PolicyKind, text: str) -> set[str]:
    """The ids of the rules that find something."""
    rules = scan(kind, kind.PHASES[0]).rules
    return {rules[one.rule].id for one in compile_rules(rules).find(text)}


def redacted(kind: PolicyKind, text: str) -> str:
    """The text with every finding replaced."""
    rules = scan(kind, kind.PHASES[0]).rules
    edits = [
        Edit(0, one.start, one.end, rules[one.rule].label, rule=one.rule)
        for one in compile_rules(rules).find(text)
    ]
    return apply(text.encode(), edits).decode()


def warned(kind: PolicyKind) -> list[tuple[str, str]]:
    """Field and code of what a kind warns of; it must have no error."""
    problems = kind.problems()
    assert all(one.is_warning for one in problems)
    return [(one.field, one.code_name) for one in problems]
