"""Rules to something that finds them: the only room that knows RE2.

In: the rules of one policy or of several fused ones. Out: a RuleSet. Never: a search that takes
more than linear time, or an engine without a bound on its memory.
"""

import functools
from typing import Any

import attrs
import re2

from kt.patterns.length import is_nullable, max_length, size
from kt.patterns.parser import Parsed, parse
from kt.patterns.prefixes import proper_prefixes
from kt.patterns.printing import to_re2
from kt.patterns.refusals import refusal
from kt.patterns.scanner import Lens, Matcher, Scanner, Union
from kt.patterns.syntax import Assertion, Node, PatternError, choice, sequence
from kt.patterns.validators import VALIDATORS
from kt.policy import Finding, Rule, View

MAX_MEMORY = 8 * 2**20
"""RE2's budget per expression, for the program and for the states that it makes as it searches."""

MAX_UNION = 20_000
"""The size (kt.patterns.length) of the rules that are asked together in one expression; a larger
rule is asked alone."""

MAX_VALIDATED = 512
"""The longest candidate, in bytes, of a rule with a validator: each shorter end may be tried."""


@attrs.frozen
class RuleSet:
    """Compiled rules. Safe to share: it does not change."""

    rules: tuple[Rule, ...]
    lenses: tuple[Lens, ...] = attrs.field(repr=False, eq=False)

    def find(self, text: str) -> tuple[Finding, ...]:
        """Find all rules in a whole text, sorted by start, then rule."""
        return self.scanner().finish(text)

    def scanner(self) -> Scanner:
        """A scanner at the start of a text that will grow."""
        return Scanner(self.lenses)


@attrs.frozen
class _Re2:
    """A compiled RE2 expression: leftmost-longest, on UTF-8 bytes."""

    expression: Any  # Any: re2 ships no types

    def search(self, data: bytes, at: int) -> tuple[int, int] | None:
        found = self.expression.search(data, at)
        return None if found is None else found.span()

    def match(self, data: bytes, at: int, end: int) -> int | None:
        found = self.expression.match(data, at, end)
        return None if found is None else int(found.end())


@attrs.frozen
class _Prepared:
    """A rule's two languages."""

    index: int
    rule: Rule
    node: Node
    prefixes: Node


def check_rule(rule: Rule) -> Parsed:
    """Everything that `compile_rules` could refuse about a rule, early. Raises PatternError."""
    _matcher(_prepare(0, rule))
    return parse(rule.pattern)


@functools.lru_cache(maxsize=32)
def compile_rules(rules: tuple[Rule, ...]) -> RuleSet:
    """Compile rules. Raises PatternError for the first one that is not in the dialect."""
    prepared = [_prepare(index, rule) for index, rule in enumerate(rules)]
    lenses = [_lens(view, [item for item in prepared if item.rule.view is view]) for view in View]
    return RuleSet(rules, tuple(lens for lens in lenses if lens.matchers))


def _prepare(index: int, rule: Rule) -> _Prepared:
    node = parse(rule.pattern).node
    everything = (0, len(rule.pattern))
    if is_nullable(node):
        raise refusal("matches_empty", *everything)
    if rule.validator is not None:
        _check_validator(rule.validator, node, everything)
    try:
        return _Prepared(index, rule, node, proper_prefixes(node))
    except PatternError as error:
        raise refusal(error.code, *everything) from None


def _check_validator(name: str, node: Node, everything: tuple[int, int]) -> None:
    if name not in VALIDATORS:
        raise refusal("unknown_validator", *everything)
    length = max_length(node)
    if length is None or length > MAX_VALIDATED:
        raise refusal("validator_unbounded", *everything)


def _lens(view: View, prepared: list[_Prepared]) -> Lens:
    matchers = tuple(_matcher(item) for item in prepared)
    return Lens(view, matchers, tuple(_union(group, matchers) for group in _groups(prepared)))


def _matcher(prepared: _Prepared) -> Matcher:
    name = prepared.rule.validator
    # NOT: a guard against re2.error. The bounds of `proper_prefixes` are below RE2's own.
    matches, prefixes = _re2(prepared.node), _re2(_at_end(prepared.prefixes))
    return Matcher(prepared.index, matches, prefixes, VALIDATORS[name] if name else None)


def _groups(prepared: list[_Prepared]) -> list[list[_Prepared]]:
    """Rules that fit into one expression, in order."""
    groups: list[list[_Prepared]] = []
    room = 0
    for item in prepared:
        need = size(item.prefixes) + size(item.node)
        if need > room:
            groups.append([])
            room = MAX_UNION
        groups[-1].append(item)
        room -= need
    return groups


def _union(group: list[_Prepared], matchers: tuple[Matcher, ...]) -> Union:
    if len(group) == 1:
        (alone,) = (matcher for matcher in matchers if matcher.rule == group[0].index)
        return Union(alone.matches, alone.prefixes)
    return Union(
        _re2(choice([item.node for item in group])),
        _re2(_at_end(choice([item.prefixes for item in group]))),
    )


def _at_end(node: Node) -> Node:
    return sequence([node, Assertion.TEXT_END])


def _re2(node: Node) -> _Re2:
    options = re2.Options()
    options.longest_match = True
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    return _Re2(re2.compile(to_re2(node).encode(), options))
