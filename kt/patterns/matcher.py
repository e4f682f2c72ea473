"""Rules to something that finds them: the only room that knows RE2.

In: the rules of one policy or of several fused ones. Out: a RuleSet. Never: a search that takes
more than linear time, or an engine without a bound on its memory.
"""

import functools
from collections.abc import Collection
from typing import Any

import attrs
import re2

from kt.patterns.heads import head
from kt.patterns.length import is_nullable, max_length, size
from kt.patterns.parser import Parsed, parse
from kt.patterns.prefixes import proper_prefixes
from kt.patterns.printing import to_re2
from kt.patterns.refusals import refusal
from kt.patterns.scanner import IsOver, Languages, Lens, Matcher, Scanner, never
from kt.patterns.syntax import Assertion, Node, PatternError, choice, sequence
from kt.patterns.validators import VALIDATORS
from kt.policy import Finding, Rule, View

MAX_MEMORY = 8 * 2**20
"""RE2's budget per expression, for the program and for the states that it makes as it searches."""

MAX_UNION = 20_000
"""The size (kt.patterns.length) of the rules that are asked together in one expression; a larger
rule is asked alone."""

SAMPLE = b"Nothing in this text is looked for: 12, a@b.\n"
"""What an expression is warmed up with."""

MAX_VALIDATED = 512
"""The longest candidate, in bytes, of a rule with a validator: each shorter end may be tried."""


@attrs.frozen
class RuleSet:
    """Compiled rules. Safe to share: it does not change."""

    rules: tuple[Rule, ...]
    lenses: tuple[Lens, ...] = attrs.field(repr=False, eq=False)

    is_bounded: bool = attrs.field(repr=False, eq=False)
    """Every match has a longest length, so that no search looks far beyond what it finds."""

    def find(self, text: str, is_over: IsOver = never) -> tuple[Finding, ...]:
        """Find all rules in a whole text, sorted by start, then rule. Raises OutOfTime."""
        return self.scanner(is_over).finish(text)

    def warm(self) -> None:
        """Let the engine build what it builds at the first search, so that no request waits."""
        for lens in self.lenses:
            asked: list[Languages | Matcher] = [*lens.whole, *lens.heads, *lens.matchers]
            for one in asked:
                one.matches.search(SAMPLE, 0)
                one.prefixes.search(SAMPLE, 0)

    def scanner(self, is_over: IsOver = never) -> Scanner:
        """A scanner at the start of a text that will grow."""
        return Scanner(self.lenses, is_over)


@attrs.frozen
class RuleParts:
    """Rules compiled in parts, of which any may be looked for at once without compiling more."""

    rules: tuple[Rule, ...]
    parts: tuple[RuleSet, ...] = attrs.field(repr=False, eq=False)
    """Each has all the rules and looks for its own."""

    def chosen(self, which: Collection[int]) -> RuleSet:
        """What looks for the rules of some parts; it numbers what it finds as `rules` does."""
        chosen = [self.parts[at] for at in which]
        lenses = [lens for part in chosen for lens in part.lenses]
        by_view = (_joined(view, [lens for lens in lenses if lens.view is view]) for view in View)
        return RuleSet(
            self.rules,
            tuple(lens for lens in by_view if lens.matchers),
            all(part.is_bounded for part in chosen),
        )


def _joined(view: View, lenses: list[Lens]) -> Lens:
    return Lens(
        view,
        tuple(matcher for lens in lenses for matcher in lens.matchers),
        tuple(union for lens in lenses for union in lens.whole),
        tuple(union for lens in lenses for union in lens.heads),
    )


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
class _Tongue:
    """A language and its proper prefixes, as trees."""

    node: Node
    prefixes: Node


@attrs.frozen
class _Prepared:
    """One pattern, compiled; the same in every rule that has it."""

    whole: _Tongue
    head: _Tongue | None
    languages: Languages
    heads: Languages | None


def check_rule(rule: Rule) -> Parsed:
    """Everything that `compile_rules` could refuse about a rule, early. Raises PatternError."""
    _prepare(rule.pattern, rule.validator)
    return parse(rule.pattern)


@functools.lru_cache(maxsize=32)
def compile_rules(rules: tuple[Rule, ...]) -> RuleSet:
    """Compile rules. Raises PatternError for the first one that is not in the dialect."""
    prepared = [_prepare(rule.pattern, rule.validator) for rule in rules]
    lenses = [_lens(view, rules, prepared) for view in View]
    is_bounded = all(max_length(item.whole.node) is not None for item in prepared)
    return RuleSet(rules, tuple(lens for lens in lenses if lens.matchers), is_bounded)


def compile_parts(rules: tuple[Rule, ...], part_of: tuple[int, ...], count: int) -> RuleParts:
    """Compile rules in `count` parts; `part_of` says of each to which it belongs."""
    numbers = [[at for at, part in enumerate(part_of) if part == one] for one in range(count)]
    return RuleParts(rules, tuple(_part(rules, of_part) for of_part in numbers))


def _part(rules: tuple[Rule, ...], numbers: list[int]) -> RuleSet:
    alone = compile_rules(tuple(rules[at] for at in numbers))
    return RuleSet(
        rules, tuple(_numbered(lens, numbers) for lens in alone.lenses), alone.is_bounded
    )


def _numbered(lens: Lens, numbers: list[int]) -> Lens:
    matchers = (attrs.evolve(one, rule=numbers[one.rule]) for one in lens.matchers)
    return attrs.evolve(lens, matchers=tuple(matchers))


@functools.lru_cache(maxsize=4096)
def _prepare(pattern: str, validator: str | None) -> _Prepared:
    node = parse(pattern).node
    everything = (0, len(pattern))
    if is_nullable(node):
        raise refusal("matches_empty", *everything)
    if validator is not None:
        _check_validator(validator, node, everything)
    beginning = head(node)
    try:
        whole = _Tongue(node, proper_prefixes(node))
        heads = None if beginning is None else _Tongue(beginning, proper_prefixes(beginning))
    except PatternError as error:
        raise refusal(error.code, *everything) from None
    return _Prepared(
        whole, heads, _languages([whole]), None if heads is None else _languages([heads])
    )


def _check_validator(name: str, node: Node, everything: tuple[int, int]) -> None:
    if name not in VALIDATORS:
        raise refusal("unknown_validator", *everything)
    length = max_length(node)
    if length is None or length > MAX_VALIDATED:
        raise refusal("validator_unbounded", *everything)


def _lens(view: View, rules: tuple[Rule, ...], prepared: list[_Prepared]) -> Lens:
    seen = [at for at, rule in enumerate(rules) if rule.view is view]
    matchers = tuple(_matcher(at, rules[at].validator, prepared[at]) for at in seen)
    whole = [prepared[at].whole for at in seen if prepared[at].head is None]
    heads = [found for at in seen if (found := prepared[at].head) is not None]
    return Lens(view, matchers, _together(whole), _together(heads))


def _matcher(index: int, validator: str | None, prepared: _Prepared) -> Matcher:
    languages = prepared.languages
    is_valid = None if validator is None else VALIDATORS[validator]
    return Matcher(index, languages.matches, languages.prefixes, prepared.heads, is_valid)


def _together(tongues: list[_Tongue]) -> tuple[Languages, ...]:
    """As few expressions as the bound on their size allows, in order."""
    groups: list[list[_Tongue]] = []
    room = 0
    for tongue in tongues:
        need = size(tongue.node) + size(tongue.prefixes)
        if need > room:
            groups.append([])
            room = MAX_UNION
        groups[-1].append(tongue)
        room -= need
    return tuple(_languages(group) for group in groups)


def _languages(tongues: list[_Tongue]) -> Languages:
    # NOT: a guard against re2.error. The bounds of `proper_prefixes` are below RE2's own.
    matches = choice([tongue.node for tongue in tongues])
    return Languages(_re2(matches), _re2(_at_end(choice([tongue.prefixes for tongue in tongues]))))


def _at_end(node: Node) -> Node:
    return sequence([node, Assertion.TEXT_END])


def _re2(node: Node) -> _Re2:
    options = re2.Options()
    options.longest_match = True
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    return _Re2(re2.compile(to_re2(node).encode(), options))
