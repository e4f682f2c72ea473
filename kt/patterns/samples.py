"""Texts that a rule finds, made from its pattern: witnesses for people and requests for tests.

In: a rule. Out: texts, shortest first, each of which the rule really finds. Never: a text that was
not tried; where assertions or a validator make all guesses fail, there are none.
"""

from collections.abc import Iterator
from itertools import islice
from types import MappingProxyType
from typing import assert_never

from kt.patterns.characters import Ranges, contains
from kt.patterns.matcher import compile_rules
from kt.patterns.parser import parse
from kt.patterns.syntax import Assertion, Chars, Choice, Node, Repeat, Sequence
from kt.policy import Rule

TRIED = 400
"""How many words of a pattern are tried before it is given up."""
PER_NODE = 6
"""How many words of each part are combined."""
LONGEST = 4096

VALID = MappingProxyType(
    {
        "luhn": (
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "3782 822463 10005",
        ),
        "iban": ("DE89370400440532013000", "DE89 3704 0044 0532 0130 00"),
        "ssn": ("078-05-1120", "078 05 1120", "078051120"),
        "ip": ("192.0.2.1", "2001:db8:0:0:0:0:0:1", "2001:db8::1"),
    }
)
"""Validator -> values that satisfy it, from the ranges that are reserved for examples."""


def samples(rule: Rule, count: int = 1) -> tuple[str, ...]:
    """At most `count` texts that the rule finds as a whole, surrounded by nothing."""
    rules = compile_rules((rule,))
    found = (text for text in _guesses(rule) if rules.find(text))
    return tuple(islice(found, count))


def _guesses(rule: Rule) -> Iterator[str]:
    yield from VALID.get(rule.validator or "", ())
    words = _words(parse(rule.pattern).node)
    yield from islice((word for word in words if 0 < len(word) <= LONGEST), TRIED)


def _words(node: Node) -> Iterator[str]:
    """Words of the node, short ones first, not all of them; assertions are not looked at."""
    match node:
        case Chars(ranges):
            yield from _characters(ranges)
        case Assertion():
            yield ""
        case Choice(options):
            yield from _in_turn([_words(option) for option in options])
        case Sequence(items):
            yield from _joined(items)
        case Repeat(inner, low, high):
            if isinstance(inner, Chars) and low == 0 and contains(inner.ranges, ord(" ")):
                yield " "  # what parts the words on both sides of a gap
            for times in range(low, min(low + 3, LONGEST if high is None else high) + 1):
                yield from (word * times for word in islice(_words(inner), PER_NODE))
        case _:
            assert_never(node)


def _joined(items: tuple[Node, ...]) -> Iterator[str]:
    """The first words of all items, then variations of one item at a time."""
    choices = [list(islice(_words(item), PER_NODE)) or [""] for item in items]
    first = [options[0] for options in choices]
    yield "".join(first)
    for at, options in enumerate(choices):
        for option in options[1:]:
            yield "".join([*first[:at], option, *first[at + 1 :]])


def _characters(ranges: Ranges) -> Iterator[str]:
    """Members of a set: one that people can read from each range, letters and digits first."""
    liked = [character for character in "a1A x-@.5" if contains(ranges, ord(character))]
    yield from liked
    for low, high in ranges:
        yield chr(low)
        yield chr(high)


def _in_turn(sources: list[Iterator[str]]) -> Iterator[str]:
    """One of each source, then the next of each."""
    while sources:
        alive = []
        for source in sources:
            word = next(source, None)
            if word is not None:
                yield word
                alive.append(source)
        sources = alive
