"""`mnpi-filter`."""

import pytest

from kt.policies.mnpi_filter import MnpiFilter
from kt.policy import Action
from tests.support.findings import found, scan, warned


@pytest.mark.parametrize(
    "text",
    [
        "This is material non-public information",
        "the pending acquisition of the bank",
        "unreleased quarterly earnings",
        "sell before it is announced",
    ],
)
def test_what_only_insiders_know_is_found(text: str) -> None:
    assert found(MnpiFilter(), text)
    assert scan(MnpiFilter()).action is Action.BLOCK


@pytest.mark.parametrize(
    "text",
    ["the earnings call of last year", "a public acquisition", "announce the winner", "embargo"],
)
def test_what_everybody_knows_passes(text: str) -> None:
    assert found(MnpiFilter(), text) == set()


def test_own_entries_are_added() -> None:
    kind = MnpiFilter(detect_patterns=("earnings_preview", "board (approved|decided)"))
    assert found(kind, "the Earnings Preview") == {"mnpi.detect_patterns_1"}
    assert found(kind, "Board approved") == {"mnpi.detect_patterns_2"}
    assert warned(kind) == []
    assert not MnpiFilter(detect_patterns=("[",)).problems()[0].is_warning
