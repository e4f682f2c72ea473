"""The trace as text."""

from kt.compiler.program import Change
from kt.explain import trace_text
from kt.policy import Phase


def test_every_change_shows_its_rule_and_both_sides() -> None:
    change = Change("a_rule", Phase.INPUT, ("a", "b"), ("a + b",))
    dropped = Change("drop_disabled", Phase.OUTPUT, ("a",), ())
    assert trace_text((change, dropped)).splitlines() == [
        "a_rule input",
        "  before  a, b",
        "  after   a + b",
        "drop_disabled output",
        "  before  a",
        "  after   nothing",
    ]


def test_no_change_is_said() -> None:
    assert trace_text(()) == "no rule changed anything\n"
