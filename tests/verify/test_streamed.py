"""A streamed answer held against the whole one: each way to differ is told."""

import attrs
import pytest

from kt.plan import Stage, Step
from kt.policy import Action, OnTrouble, Phase
from kt.runtime.fused import StreamRules
from kt.verify.cases import Case
from kt.verify.streamed import difference
from tests.support.plans import scan_step

MAIL = scan_step("mail", "[a-z]+@[a-z]+")
STOP = scan_step("stop", "secret", action=Action.BLOCK, order=1)
FLAG = scan_step("flag", "odd", action=Action.FLAG, order=2)


def differs(declared: tuple[Step, ...], real: tuple[Step, ...], *texts: str) -> str | None:
    """What the rules of some steps do otherwise than others declare."""
    rules = StreamRules.of(tuple(Stage(steps=(step,)) for step in real))
    case = Case(phase=Phase.OUTPUT, texts=texts, cuts=(1, 3, 5))
    return difference(declared, rules, case)


@pytest.mark.parametrize("text", ["ok", "to ann@acme ", "a secret", "odd ann@b secret"])
def test_the_same_steps_do_the_same(text: str) -> None:
    assert differs((MAIL, STOP, FLAG), (MAIL, STOP, FLAG), "first", text) is None


@pytest.mark.parametrize(
    ("real", "text", "told"),
    [
        ((MAIL,), "x", "other steps"),
        ((MAIL, attrs.evolve(STOP, body=FLAG.body)), "a secret", "lets pass"),
        ((attrs.evolve(MAIL, body=FLAG.body), STOP), "ann@b", "another text"),
        ((attrs.evolve(MAIL, body=STOP.body), STOP), "secret", "refuses by 'mail'"),
        ((attrs.evolve(MAIL, body=FLAG.body), STOP), "ann@b secret", "before what is refused"),
    ],
)
def test_other_rules_are_told_apart(real: tuple[Step, ...], text: str, told: str) -> None:
    found = differs((MAIL, STOP), real, text)
    assert found is not None
    assert told in found


def test_what_is_not_recorded_is_told() -> None:
    found = differs((FLAG,), (attrs.evolve(FLAG, body=STOP.body),), "odd")
    assert found == "streamed, the plan records something else"


def test_nothing_is_held_against_a_gate_that_stays_open_without_time() -> None:
    opened = attrs.evolve(MAIL, on_trouble=OnTrouble.ALLOW)
    rules = StreamRules.of((Stage(steps=(opened,)),))
    case = Case(phase=Phase.OUTPUT, texts=("ann@b c",), cuts=(2, 4), late_after=0)
    assert difference((opened,), rules, case) is None
