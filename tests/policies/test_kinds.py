"""The list of kinds, and the page that describes them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast, get_args, get_origin

import attrs
import pytest

from kt.patterns.matcher import compile_rules
from kt.plan import NotEnforced, Record, Scan
from kt.policies import KINDS, AnyValue, PolicyKind
from kt.policy import Facts, Phase, Streams

PAGE = Path(__file__).parents[2] / "docs" / "policies.md"

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.KIND)


def fields_of(model: type[Any], prefix: str = "") -> Iterator[str]:
    """The dotted names of a model's settings."""
    for field in attrs.fields(attrs.resolve_types(model)):
        kind, name = inner_model(field.type)
        if kind is not None:
            yield from fields_of(kind, f"{prefix}{field.name}{name}.")
        else:
            yield prefix + field.name


def inner_model(due: Any) -> tuple[type[Any] | None, str]:
    """The model inside an option, a list or a map, and how the page writes the map's key."""
    for one in (due, *get_args(due)):
        if get_origin(one) is tuple and get_args(one)[:1] == (str,) and len(get_args(one)) == 2:
            return inner_model(get_args(one)[1])[0], ".*"
        if attrs.has(one) and one is not AnyValue:
            return one, ""
    return None, ""


def section_of(kind: type[PolicyKind]) -> str:
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (found,) = (section for section in sections if section.startswith(f"{kind.KIND}\n"))
    return found


@kinds
def test_the_page_names_every_field_of_a_kind_and_no_other(kind: type[PolicyKind]) -> None:
    described = set(re.findall(r"^\| `([a-z0-9_.*]+)` \|", section_of(kind), flags=re.MULTILINE))
    assert described == set(fields_of(cast("type[Any]", kind)))


@kinds
def test_the_page_shows_what_is_not_enforced(kind: type[PolicyKind]) -> None:
    unset = [
        name
        for name in re.findall(r"`([a-z_.]+)` \| not set \|", section_of(kind))
        if f"`{name}` | not set | the same" not in section_of(kind)
    ]
    for name in unset:
        assert re.search(rf"`{name}` \| not set \|.*not enforced yet", section_of(kind)), name


@kinds
def test_a_kind_runs_on_its_defaults(kind: type[PolicyKind]) -> None:
    policy = kind()
    assert [problem for problem in policy.problems() if not problem.is_warning] == []
    for phase in kind.PHASES:
        body, facts = policy.body(phase), policy.facts(phase)
        assert hash(body) is not None
        assert isinstance(facts, Facts)
        if isinstance(body, Scan):
            assert len({rule.id for rule in body.rules}) == len(body.rules)
            assert compile_rules(body.rules).rules == body.rules
            assert facts.surfaces
        elif isinstance(body, Record):
            assert facts.streams is Streams.NEVER
        else:
            assert isinstance(body, NotEnforced), "who is asked needs an endpoint"
            assert body.reason


def test_kinds_have_names_of_their_own_and_phases() -> None:
    names = [kind.KIND for kind in KINDS.values()]
    assert len(set(names)) == len(names)
    assert all(set(kind.PHASES) <= set(Phase) and kind.PHASES for kind in KINDS.values())
