"""The hashes of the built-in rule lists cover every rule that ships."""

from importlib import import_module
from pkgutil import iter_modules

import attrs
import pytest

from kt.policies import rule_lists as module
from kt.policies import rules
from kt.policies.rule_lists import RULE_LISTS, rule_lists
from kt.policies.rules.personal_data import EMAIL, Entity
from kt.policies.rules.signal import Signal, signal


def shipped() -> set[Signal | Entity]:
    """Every rule that some module of the room holds, in whatever it holds it."""
    names = [f"{rules.__name__}.{one.name}" for one in iter_modules(rules.__path__)]
    found: set[Signal | Entity] = set()
    for name in names:
        for value in vars(import_module(name)).values():
            many = value if isinstance(value, tuple) else [value]
            found |= {one for one in many if isinstance(one, Signal | Entity)}
    return found


def test_every_rule_that_ships_is_in_a_list() -> None:
    listed = {one for rules in RULE_LISTS.values() for one in rules}
    assert listed == shipped()
    assert len(listed) > 50


@pytest.mark.parametrize("name", RULE_LISTS)
def test_a_changed_rule_changes_the_hash_of_its_list_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(rule_lists())
    monkeypatch.setattr(
        module, "RULE_LISTS", {**RULE_LISTS, name: (*RULE_LISTS[name], signal("new", "x"))}
    )
    after = dict(rule_lists())
    assert {one for one in before if before[one] != after[one]} == {name}


def test_a_pattern_alone_changes_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(rule_lists())["personal_data"]
    other = attrs.evolve(EMAIL, patterns=(("a@b", None),))
    changed = tuple(other if one is EMAIL else one for one in RULE_LISTS["personal_data"])
    monkeypatch.setattr(module, "RULE_LISTS", {**RULE_LISTS, "personal_data": changed})
    assert dict(rule_lists())["personal_data"] != before
