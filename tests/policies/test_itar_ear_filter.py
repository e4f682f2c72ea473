"""`itar-ear-filter`."""

import pytest

from kt.plan import Scan
from kt.policies.itar_ear_filter import ItarEarFilter
from kt.policies.rules.controlled_subjects import CATEGORIES
from kt.policy import Action, Phase
from tests.support.findings import found, scan, warned

CONTROLLED = [
    ("usml", "send the technical data package"),
    ("usml", "the guided missiles of the ship"),
    ("ccl", "a rod of maraging steel"),
    ("nuclear", "a plant for uranium enrichment"),
    ("missile_technology", "heat shield of a re-entry vehicle"),
    ("chemical", "order the precursor chemical"),
]
HARMLESS = [
    "The export of our report failed.",
    "Guide me to the missing file.",
    "An enriched text format.",
    "The nuclear family moved out.",
    "ear protection is required",
]


@pytest.mark.parametrize(("name", "text"), CONTROLLED)
def test_a_category_finds_what_it_is_for(name: str, text: str) -> None:
    assert found(ItarEarFilter(), text.upper())
    assert found(ItarEarFilter(categories=(name,)), text)
    others = tuple(one for one in CATEGORIES if one != name)
    assert found(ItarEarFilter(categories=others), text) == set()


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_has_the_words_passes(text: str) -> None:
    assert found(ItarEarFilter(), text) == set()


def test_a_text_that_says_that_it_is_controlled_is_found_with_every_category() -> None:
    kind = ItarEarFilter(categories=("chemical",))
    assert found(kind, "This drawing is ITAR-controlled") == {"itar_ear.marking"}
    assert found(kind, "ECCN: 5A002.a") == {"itar_ear.eccn"}


def test_it_blocks_in_both_directions() -> None:
    for phase, word in ((Phase.INPUT, "Request"), (Phase.OUTPUT, "Answer")):
        body = scan(ItarEarFilter(), phase)
        assert isinstance(body, Scan)
        assert body.action is Action.BLOCK
        assert body.message.startswith(word)
    assert ItarEarFilter().facts(Phase.OUTPUT).can_block


def test_own_terms_are_added_and_may_be_fuzzy() -> None:
    kind = ItarEarFilter(blocked_terms=("widget nine",))
    assert found(kind, "the Widget-Nine") == {"itar_ear.blocked_terms_1"}
    assert found(kind, "the widgit nine") == set()
    fuzzy = ItarEarFilter(blocked_terms=("widget nine",), fuzzy_matching=True)
    assert found(fuzzy, "the widgit nine") == {"itar_ear.blocked_terms_1"}


def test_an_unknown_category_finds_nothing_and_says_so() -> None:
    kind = ItarEarFilter(categories=("usml", "moon"))
    assert warned(kind) == [("categories[1]", "unknown_entity")]
    assert scan(kind) == scan(ItarEarFilter(categories=("usml",)))
    assert warned(ItarEarFilter(fuzzy_matching=True, max_distance=5)) == [
        ("max_distance", "not_enforced")
    ]


def test_a_bad_entry_is_an_error() -> None:
    (problem,) = ItarEarFilter(blocked_terms=("(",)).problems()
    assert (problem.field, problem.is_warning) == ("blocked_terms[0]", False)
