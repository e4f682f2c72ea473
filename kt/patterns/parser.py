"""Read a pattern: text in the dialect of `grammar/pattern.lark` to a syntax tree.

In: any text. Out: Parsed. Never: raises anything but PatternError, or recurses deeper than the
bounds below allow.
"""

import functools
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import cast

import attrs
from lark import Lark, Token, Tree, UnexpectedInput
from lark.exceptions import UnexpectedToken

from kt.patterns import characters
from kt.patterns.characters import Ranges
from kt.patterns.refusals import REFUSED, UNEXPECTED, refusal
from kt.patterns.syntax import (
    Assertion,
    Chars,
    Node,
    PatternError,
    choice,
    repeat,
    sequence,
)

MAX_CHARACTERS = 10_000
MAX_GROUPS_DEEP = 24
MAX_REPEAT = 1000
"""RE2's own bound, on the product of nested repeats too."""

_CONTROLS = MappingProxyType({"n": 10, "t": 9, "r": 13, "f": 12, "v": 11})
_SHORTHANDS = MappingProxyType({"d": characters.DIGIT, "w": characters.WORD, "s": characters.SPACE})
_SETS = frozenset({"SET", "NOT_SET"})
_OPENING = _SETS | {"GROUP", "OTHER_GROUP", "FLAG_GROUP"}
_CLOSING = frozenset({"RPAR", "RSQB"})
_QUANTIFIERS: Mapping[str, tuple[int, int | None]] = MappingProxyType(
    {"*": (0, None), "+": (1, None), "?": (0, 1)}
)


@attrs.frozen
class PatternWarning:
    """Something that means less than its author may think, and where in the pattern it is."""

    code: str
    message: str
    start: int
    end: int


@attrs.frozen
class Parsed:
    """What a pattern means."""

    node: Node
    warnings: tuple[PatternWarning, ...] = ()


@attrs.frozen
class _Flags:
    """The flags in force at one place."""

    ignore_case: bool = False
    dot_is_any: bool = False
    repeats: int = 1
    """The product of the repeats around this place."""


@functools.lru_cache(maxsize=4096)
def parse(pattern: str) -> Parsed:
    """Read a pattern. Raises PatternError, which knows where, when it is not in the dialect."""
    if len(pattern) > MAX_CHARACTERS:
        raise refusal("too_large", 0, len(pattern))
    tree = _tree(pattern)
    node = _start(tree)
    return Parsed(node, _warnings(tree))


@functools.cache
def _grammar() -> Lark:
    """Build the parser once, on first use: the command line starts without it."""
    return Lark(_grammar_text(), parser="lalr", maybe_placeholders=False, propagate_positions=True)


def _grammar_text() -> str:
    packaged = files("kt").joinpath("grammar", "pattern.lark")
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    checkout = Path(__file__).parents[2] / "grammar" / "pattern.lark"
    return checkout.read_text(encoding="utf-8")


def _tree(pattern: str) -> Tree[Token]:
    """Parse token by token, so that what is refused on sight is refused where it stands."""
    session = _grammar().parse_interactive(pattern)
    still_open: list[Token] = []
    try:
        for token in session.iter_parse():
            if token.type in REFUSED:
                raise refusal(REFUSED[token.type], *_place(token))
            _track(token, still_open)
        tree: Tree[Token] = session.feed_eof()  # type: ignore[no-untyped-call]  # lark's own gap
    except UnexpectedInput as error:
        raise _syntax_error(error, still_open) from None
    return tree


def _track(token: Token, still_open: list[Token]) -> None:
    """Keep the brackets that are open, for the bound on depth and for errors at the end."""
    if token.type in _OPENING:
        still_open.append(token)
        if len(still_open) > MAX_GROUPS_DEEP:
            raise refusal("too_deep", *_place(token))
    elif token.type in _CLOSING and still_open:
        still_open.pop()


def _syntax_error(error: UnexpectedInput, still_open: list[Token]) -> PatternError:
    if not isinstance(error, UnexpectedToken):
        at = cast("int", error.pos_in_stream)
        return refusal("bad_character", at, at + 1)
    token = error.token
    if token.type == "$END" and still_open:
        last = still_open[-1]
        return refusal("unclosed_set" if last.type in _SETS else "unbalanced", *_place(last))
    return refusal(UNEXPECTED.get(token.type, REFUSED.get(token.type, "conflict")), *_place(token))


def _place(token: Token) -> tuple[int, int]:
    start = token.start_pos or 0
    return start, start + len(token)


# ---- Tree to syntax, top down because flags reach down


def _start(tree: Tree[Token]) -> Node:
    *opening, body = tree.children
    flags = _with_flags(_Flags(), _token(opening[0])) if opening else _Flags()
    return _choice(_tree_of(body), flags)


def _choice(tree: Tree[Token], flags: _Flags) -> Node:
    return choice([_sequence(option, flags) for option in _trees(tree)])


def _sequence(tree: Tree[Token], flags: _Flags) -> Node:
    return sequence([_term(term, flags) for term in _trees(tree)])


def _term(tree: Tree[Token], flags: _Flags) -> Node:
    match tree.data:
        case "assertion":
            return Assertion(_token(tree.children[0]).type.lower())
        case "repeat":
            return _repeat(tree, flags)
        case "group":
            opening, body = tree.children
            return _choice(_tree_of(body), _with_flags(flags, _token(opening)))
        case "literals":
            text = str(_token(tree.children[0]))
            return sequence([_letter(character, flags) for character in text])
        case "any":
            return Chars(characters.EVERY if flags.dot_is_any else characters.NOT_NEWLINE)
        case "set" if _token(tree.children[0]).type == "NOT_SET":
            # ORDER: the other cases are excluded too, so they come before the complement.
            return Chars(_complement(tree, flags))
        case _:
            return Chars(_cased(_ranges(tree), flags))


def _complement(tree: Tree[Token], flags: _Flags) -> Ranges:
    ranges = characters.complement(_cased(_ranges(tree), flags))
    if not ranges:
        raise refusal("empty_set", *_place(_token(tree.children[0])))
    return ranges


def _repeat(tree: Tree[Token], flags: _Flags) -> Node:
    inner, quantifier = tree.children
    low, high = _bounds(_token(quantifier))
    repeats = flags.repeats * max(low, high or 1, 1)
    if repeats > MAX_REPEAT:
        raise refusal("repeat_too_large", *_place(_token(quantifier)))
    return repeat(_term(_tree_of(inner), attrs.evolve(flags, repeats=repeats)), low, high)


def _bounds(quantifier: Token) -> tuple[int, int | None]:
    text = quantifier.removesuffix("?") if len(quantifier) > 1 else str(quantifier)
    if text in _QUANTIFIERS:
        return _QUANTIFIERS[text]
    low, comma, high = text.strip("{}").partition(",")
    if high and int(high) < int(low):
        raise refusal("bad_repeat", *_place(quantifier))
    if high:
        return int(low), int(high)
    return int(low), None if comma else int(low)


def _with_flags(flags: _Flags, opening: Token) -> _Flags:
    if opening.type in ("GROUP", "OTHER_GROUP"):
        return flags
    letters = opening[2:-1]
    if set(letters) - set("is"):
        raise refusal("unknown_flag", *_place(opening))
    return attrs.evolve(
        flags,
        ignore_case=flags.ignore_case or "i" in letters,
        dot_is_any=flags.dot_is_any or "s" in letters,
    )


def _letter(character: str, flags: _Flags) -> Node:
    return Chars(_cased(((ord(character), ord(character)),), flags))


def _cased(ranges: Ranges, flags: _Flags) -> Ranges:
    return characters.both_cases(ranges) if flags.ignore_case else ranges


def _ranges(tree: Tree[Token]) -> Ranges:
    """The characters of a set, of one member of it, or of an escape."""
    match tree.data:
        case "set":
            return _set(tree)
        case "shorthand":
            return _shorthand(_token(tree.children[0]))
        case "range":
            return _range(tree)
        case _:
            point = _point(tree)
            return ((point, point),)


def _set(tree: Tree[Token]) -> Ranges:
    opening, *members = tree.children
    parts: list[tuple[int, int]] = []
    for member in members:
        if isinstance(member, Tree):
            parts += _ranges(member)
        else:
            parts.append((ord("-"), ord("-")))
    if not parts:
        raise refusal("empty_set", *_place(_token(opening)))
    return characters.union(parts)


def _shorthand(token: Token) -> Ranges:
    ranges = _SHORTHANDS[token[1].lower()]
    return characters.complement(ranges) if token[1].isupper() else ranges


def _range(tree: Tree[Token]) -> Ranges:
    first, hyphen, last = tree.children
    low, high = _point(_tree_of(first)), _point(_tree_of(last))
    if low > high:
        raise refusal("bad_range", *_place(_token(hyphen)))
    return ((low, high),)


def _point(tree: Tree[Token]) -> int:
    """The one code point of a literal or an escape."""
    token = _token(tree.children[0])
    match token.type:
        case "CONTROL":
            return _CONTROLS[token[1]]
        case "CODE_POINT":
            return _code_point(token)
        case "PUNCTUATION":
            return ord(token[1])
        case _:
            return ord(token)


def _code_point(token: Token) -> int:
    point = int(token[2:].strip("{}"), 16)
    if point > characters.LAST or 0xD800 <= point <= 0xDFFF:
        raise refusal("bad_code_point", *_place(token))
    return point


def _token(child: Tree[Token] | Token) -> Token:
    return cast("Token", child)


def _tree_of(child: Tree[Token] | Token) -> Tree[Token]:
    return cast("Tree[Token]", child)


def _trees(tree: Tree[Token]) -> Iterator[Tree[Token]]:
    return (child for child in tree.children if isinstance(child, Tree))


def _warnings(tree: Tree[Token]) -> tuple[PatternWarning, ...]:
    message = "a lazy quantifier means the same as the greedy one: matches are the longest ones"
    return tuple(
        PatternWarning("lazy_ignored", message, *_place(token))
        for token in tree.scan_values(lambda value: isinstance(value, Token))
        if token.type == "QUANTIFIER" and len(token) > 1 and token.endswith("?")
    )
