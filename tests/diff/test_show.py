"""The comparison in words and as data."""

import attrs

from kt.diff.changes import Changed
from kt.diff.looser import Answer, Looser, Proof
from kt.diff.show import Comparison, as_data, as_text
from kt.diff.witness import Sent

FOUND = Looser("input", "mail", "rule mail.0", 'say "ab"', "block", "allow")


def shown(answer: Answer, *changed: Changed) -> str:
    """The text of a comparison."""
    return as_text(Comparison("1", "2", changed, answer))


def test_equal_plans_are_said_to_be_equal() -> None:
    same = Comparison("1", "1", (), Answer(Proof.PROVED, (), 0))
    assert as_text(same) == "the two mean the same: their plans are equal\n"


def test_differences_stand_under_their_part() -> None:
    answer = Answer(Proof.PROVED, (), 0)
    changed = (Changed("timeouts", "connect", "5s", "3s"), Changed("timeouts", "idle", "1m", "2m"))
    assert shown(answer, *changed).splitlines()[:4] == [
        "timeouts",
        "  connect",
        "    - 5s",
        "    + 3s",
    ]
    assert "proved" in shown(answer)


def test_a_witness_is_a_request_or_an_answer() -> None:
    assert (
        r'request: {"model": "any", "messages": [{"role": "user", "content": "say \"ab\""}]}'
        in (shown(Answer(Proof.FOUND, (FOUND,), 0)))
    )
    answer = Looser("output", "mail", "", "ab", "block", "allow")
    assert 'witness answer: "ab"' in shown(Answer(Proof.FOUND, (answer,), 0))


def test_a_request_that_conditions_ask_about_is_shown_with_its_headers() -> None:
    sent = Sent((("x-env", "prod"),), '{"model": "m"}', ("m", "ab"))
    asked = attrs.evolve(FOUND, request=sent)
    lines = shown(Answer(Proof.FOUND, (asked,), 0)).splitlines()
    assert lines[-2:] == [
        '    witness request: {"model": "m"}',
        "      with header x-env: prod",
    ]
    answered = attrs.evolve(asked, phase="output")
    lines = shown(Answer(Proof.FOUND, (answered,), 0)).splitlines()
    assert lines[-3:-1] == [
        r'    witness answer: "say \"ab\""',
        '    to the request: {"model": "m"}',
    ]


def test_what_is_not_proved_is_not_called_proved() -> None:
    assert shown(Answer(Proof.NOT_FOUND, (), 7)) == (
        "newly allowed: none found in 7 generated requests\n"
    )


def test_the_data_says_the_same() -> None:
    data = as_data(Comparison("1", "2", (), Answer(Proof.FOUND, (FOUND,), 0)))
    assert data["format"] == 1
    assert data["newly_allowed"]["proof"] == "found"
    assert data["newly_allowed"]["found"][0]["witness"] == 'say "ab"'
