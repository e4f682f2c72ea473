"""Read a filter: text in the language of `grammar/filter.lark` to a checked tree.

In: any text and the fields that it may name. Out: Filter. Never: raises anything but FilterError,
or recurses deeper than the bound below.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from kt.errors import HouseBug
from kt.filters import typing_rules
from kt.filters.mistakes import MISTAKES
from kt.filters.quantities import Quantity, read_quantity
from kt.filters.refusals import FilterError, refusal
from kt.filters.syntax import Always, Exists, Field, Filter, Not, Operator, all_of, any_of
from kt.filters.typing_rules import MAX_COMPARISONS, Constant, Operand
from kt.filters.vocabulary import Vocabulary
from kt.source import Span

MAX_CHARACTERS = 10_000
MAX_DEEP = 24
"""Of parentheses, `not` and what they hold."""

_QUOTES = "'\""
_ESCAPED = re.compile(r"""\\(["'\\])""")

_WORDS: Mapping[str, bool | None] = MappingProxyType({"TRUE": True, "FALSE": False, "NULL": None})
_SPELLINGS: Mapping[str, str] = MappingProxyType({"=": "==", "~": "matches"})
_QUESTIONS = frozenset({"exists", "comparison", "truth"})

Stop = tuple[frozenset[str], str]
"""Where the parser stops: what it would have accepted, and what it found."""


def parse_filter(text: str, vocabulary: Vocabulary) -> Filter:
    """Read a filter. Raises FilterError, which knows where, when it is not one."""
    if len(text) > MAX_CHARACTERS:
        raise refusal("too_large", 0, len(text), limit=MAX_CHARACTERS)
    tree = _tree(text)
    questions = [node for node in tree.iter_subtrees() if node.data in _QUESTIONS]
    if len(questions) > MAX_COMPARISONS:
        raise refusal("too_many", 0, len(text), limit=MAX_COMPARISONS)
    return _filter(_tree_of(tree.children[0]), vocabulary, MAX_DEEP)


# ---- Text to lark's tree


def _tree(text: str) -> Tree[Token]:
    try:
        return _grammar().parse(text)
    except UnexpectedCharacters as error:
        raise _bad_character(text, cast("int", error.pos_in_stream)) from None
    except UnexpectedToken as error:
        token = error.token
        place = (len(text), len(text)) if token.type == "$END" else _ends(token)
        raise refusal(_code(error), *place) from None


@functools.cache
def _grammar() -> Lark:
    """Build the parser once, on first use: the command line starts without it."""
    return Lark(
        _grammar_text(),
        parser="lalr",
        lexer="basic",
        maybe_placeholders=False,
        propagate_positions=True,
    )


def _grammar_text() -> str:
    packaged = files("kt").joinpath("grammar", "filter.lark")
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    checkout = Path(__file__).parents[2] / "grammar" / "filter.lark"
    return checkout.read_text(encoding="utf-8")


def _bad_character(text: str, at: int) -> FilterError:
    if text[at] in _QUOTES:
        return refusal("unclosed_text", at, len(text))
    return refusal("bad_character", at, at + 1)


def _code(error: UnexpectedToken) -> str:
    # NOT: lark's own match_examples. It also compares how deep the parser is, so that a mistake
    # inside parentheses would need examples of its own, and it parses all of them each time.
    codes = _codes()
    accepted, found = _stop(error)
    return codes.get((accepted, found)) or codes[accepted, None]


@functools.cache
def _codes() -> Mapping[tuple[frozenset[str], str | None], str]:
    """The catalogue of mistakes, by where the parser stops; without a token: by the place alone."""
    codes: dict[tuple[frozenset[str], str | None], str] = {}
    for code, texts in MISTAKES:
        for accepted, found in map(_stop_of, texts):
            codes[accepted, found] = code
            codes.setdefault((accepted, None), code)
    return MappingProxyType(codes)


def _stop_of(text: str) -> Stop:
    try:
        _grammar().parse(text)
    except UnexpectedToken as error:
        return _stop(error)
    raise HouseBug("an example of a mistake is none")


def _stop(error: UnexpectedToken) -> Stop:
    return frozenset(error.expected), error.token.type


# ---- Lark's tree to ours, top down because the bound on depth reaches down


def _filter(tree: Tree[Token], vocabulary: Vocabulary, room: int) -> Filter:
    span = _span(tree)
    if room == 0:
        raise refusal("too_deep", span.start, span.end, limit=MAX_DEEP)
    match tree.data:
        case "disjunction":
            return any_of(_parts(tree, vocabulary, room), span)
        case "conjunction":
            return all_of(_parts(tree, vocabulary, room), span)
        case "negated":
            return Not(_filter(_tree_of(tree.children[1]), vocabulary, room - 1), span)
        case "constant":
            return Always(_token(tree.children[0]).type == "TRUE", span)
        case "exists":
            return Exists(_field(_tree_of(tree.children[0]), vocabulary), span)
        case "truth":
            return typing_rules.truth(_field(_tree_of(tree.children[0]), vocabulary))
        case _:
            return _comparison(tree, vocabulary)


def _parts(tree: Tree[Token], vocabulary: Vocabulary, room: int) -> Iterator[Filter]:
    """The parts of a conjunction or a disjunction; one part alone is no level of its own."""
    inner = room if len(tree.children) == 1 else room - 1
    return (_filter(_tree_of(part), vocabulary, inner) for part in tree.children)


def _comparison(tree: Tree[Token], vocabulary: Vocabulary) -> Filter:
    subject, operator, operand = map(_tree_of, tree.children)
    return typing_rules.comparison(
        _field(subject, vocabulary), _operator(operator), _operand(operand), _span(tree)
    )


def _field(tree: Tree[Token], vocabulary: Vocabulary) -> Field:
    name, *key = map(_token, tree.children)
    return typing_rules.field(
        str(name), _unquoted(key[0]) if key else None, _span(tree), vocabulary
    )


def _operator(tree: Tree[Token]) -> Operator:
    spelling = " ".join(_token(token) for token in tree.children)
    return Operator(_SPELLINGS.get(spelling, spelling))


def _operand(tree: Tree[Token]) -> Operand:
    if tree.data == "list":
        return tuple(_constant(_tree_of(item)) for item in tree.children)
    return _constant(tree)


def _constant(tree: Tree[Token]) -> Constant:
    token = _token(tree.children[0])
    span = _span(tree)
    match token.type:
        case "STRING":
            text = _unquoted(token)
            return Constant(text, span, span.start + 1 if text == token[1:-1] else None)
        case "NUMBER":
            return Constant(_quantity(token), span)
        case word:
            return Constant(_WORDS[word], span)


def _quantity(token: Token) -> Quantity:
    try:
        return read_quantity(token)
    except ValueError:
        raise refusal("bad_number", *_ends(token)) from None


def _unquoted(token: Token) -> str:
    return _ESCAPED.sub(r"\1", token[1:-1])


def _span(tree: Tree[Token]) -> Span:
    return Span(tree.meta.start_pos, tree.meta.end_pos)


def _ends(token: Token) -> tuple[int, int]:
    start = token.start_pos or 0
    return start, start + len(token)


def _token(child: Tree[Token] | Token) -> Token:
    return cast("Token", child)


def _tree_of(child: Tree[Token] | Token) -> Tree[Token]:
    return cast("Tree[Token]", child)
