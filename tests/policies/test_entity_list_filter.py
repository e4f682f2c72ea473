"""`entity-list-filter`."""

from kt.plan import NotEnforced
from kt.policies.entity_list_filter import EntityListFilter
from kt.policy import Action, Phase
from tests.support.findings import found, scan, warned


def test_without_names_it_is_not_enforced() -> None:
    assert isinstance(EntityListFilter().body(Phase.INPUT), NotEnforced)
    assert isinstance(EntityListFilter(lists=("sdn",)).body(Phase.OUTPUT), NotEnforced)


def test_names_are_found_in_any_case_and_through_disguises() -> None:
    kind = EntityListFilter(blocked_entities=("Acme Dynamics",))
    assert scan(kind, Phase.OUTPUT).action is Action.BLOCK
    assert found(kind, "a letter to ACME  dynamics.") == {"entity_list.blocked_entities_1"}
    assert found(kind, "Acm\u0435 Dynamics") == {"entity_list.blocked_entities_1"}
    assert found(kind, "Acme Dynamicists") == set()
    assert found(kind, "Acne Dynamics") == set()
    fuzzy = EntityListFilter(blocked_entities=("Acme Dynamics",), fuzzy_matching=True)
    assert found(fuzzy, "Acne Dynamics") == {"entity_list.blocked_entities_1"}


def test_lists_that_do_not_ship_are_warned_of() -> None:
    kind = EntityListFilter(blocked_entities=("x-y",), lists=("sdn",))
    assert warned(kind) == [("lists", "not_enforced")]
