"""A filter at work: one closure per node, made once, asked per request.

Never: raises, or takes more than time linear in the filter and the values that it names.
"""

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, assert_never

from kt.filters.facts import FilterFacts
from kt.filters.syntax import Always, And, Comparison, Exists, Field, Filter, Not, Operator, Or
from kt.patterns.matcher import compile_rules
from kt.policy import Rule, View

Get = Callable[[str, Any], Any]  # Any: the value of a field, or what stands for an absent one
Test = Callable[[Get], bool]
Predicate = Callable[[FilterFacts], bool]

_ABSENT = object()
"""Equal to nothing that a filter can name."""

_ORDER: Mapping[Operator, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        Operator.LESS: operator.lt,
        Operator.LESS_OR_EQUAL: operator.le,
        Operator.GREATER: operator.gt,
        Operator.GREATER_OR_EQUAL: operator.ge,
        Operator.CONTAINS: operator.contains,
        Operator.STARTS_WITH: str.startswith,
        Operator.ENDS_WITH: str.endswith,
    }
)
"""What compares a value that is there and not null; all of it is false for any other."""


def compile_filter(tree: Filter) -> Predicate:
    """Make the question that a filter asks."""
    test = _test(tree)
    return lambda facts: test(facts.values.get)


def _test(tree: Filter) -> Test:
    match tree:
        case Always(value):
            return lambda get: value
        case Exists(field):
            label = field.label
            return lambda get: get(label, _ABSENT) is not _ABSENT
        case Comparison(field):
            return _comparison(tree, field)
        case Not(inner):
            test = _test(inner)
            return lambda get: not test(get)
        case And(parts):
            return _all(tuple([_test(part) for part in parts]))
        case Or(parts):
            return _any(tuple([_test(part) for part in parts]))
        case _:
            assert_never(tree)


def _all(tests: tuple[Test, ...]) -> Test:
    def is_every_one(get: Get) -> bool:
        # NOT: all(...) over a generator, which costs more than the questions.
        for test in tests:  # noqa: SIM110
            if not test(get):
                return False
        return True

    return is_every_one


def _any(tests: tuple[Test, ...]) -> Test:
    def is_one(get: Get) -> bool:
        for test in tests:  # noqa: SIM110
            if test(get):
                return True
        return False

    return is_one


def _comparison(tree: Comparison, field: Field) -> Test:
    label, value = field.label, tree.value
    match tree.operator:
        case Operator.EQUAL:
            return lambda get: get(label, _ABSENT) == value
        case Operator.NOT_EQUAL:
            return lambda get: get(label, value) != value
        case Operator.IN | Operator.NOT_IN:
            return _membership(label, tree)
        case Operator.MATCHES:
            return _matches(label, str(value))
        case _:
            compare = _ORDER[tree.operator]
            return lambda get: (found := get(label, None)) is not None and compare(found, value)


def _membership(label: str, tree: Comparison) -> Test:
    values = frozenset(tree.value) if isinstance(tree.value, tuple) else frozenset()
    if tree.operator is Operator.IN:
        return lambda get: get(label, _ABSENT) in values
    return lambda get: (found := get(label, _ABSENT)) is not _ABSENT and found not in values


def _matches(label: str, pattern: str) -> Test:
    rules = compile_rules((Rule(id="filter", pattern=pattern, view=View.TEXT),))
    search = rules.lenses[0].matchers[0].matches.search

    def is_found(get: Get) -> bool:
        found = get(label, None)
        return found is not None and search(found.encode(), 0) is not None

    return is_found
