"""Put the environment's values into the tree: `${NAME}` and `${NAME:-default}` inside values.

In: a tree as written and a mapping. Out: the tree in the same shape, and which variables it took.
Never: a key changed, a map or a list made of a value, a secret taken: below a key that holds one a
reference stays a reference. What a filled value means is for the key to say that it stands under.
"""

import re
from collections.abc import Mapping
from typing import NoReturn

import attrs

from kt.compiler.leaves import Rejected
from kt.compiler.scalars import FORBIDDEN, resolve
from kt.compiler.tree import Entry, Map, Node, Scalar, Seq, key_name
from kt.diagnostics import Report
from kt.units import show_size

OPENING = "${"
ESCAPED = "$${"
"""Stands for `${`; a dollar that no brace follows needs no escape, so patterns stay as they are."""

MAX_FILLED = 2**20
"""Characters that all variables together may put into one configuration."""

_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,199}"
_PIECE = re.compile(rf"\$\$\{{|\$\{{(?:({_NAME})(?::-((?:(?!\$\{{)[^}}])*))?\}})?")
REFERENCE = rf"^\$\{{({_NAME})\}}$"
"""A value that is one reference and nothing else."""
_SECRET_KEY = re.compile(
    r"(?:.*_)?(?:api_keys?|secret|secret_key|password|token)(?:_env|_ref)?", re.IGNORECASE
)
_SECRET_NAME = re.compile(r"(?:.*_)?(?:API_?KEY|KEY|SECRET|TOKEN|PASSWORD)", re.IGNORECASE)
_HOW = "write ${NAME} or ${NAME:-default}; $${ stands for ${ itself"


@attrs.frozen
class Filled:
    """A tree in which every variable has its value, and what it took."""

    tree: Map
    variables: tuple[str, ...]
    """Name and place of each, in the order of the text."""


def fill(tree: Map, environment: Mapping[str, str], report: Report) -> Filled | None:
    """Replace every reference; None where something is wrong with one, which is reported."""
    filler = _Filler(report, environment)
    filled = filler.map(tree)
    return None if report.errors else Filled(filled, tuple(filler.variables))


def is_secret_key(name: str) -> bool:
    """Whether what stands below a key is a secret or names one, which is never filled in."""
    return _SECRET_KEY.fullmatch(name) is not None


def referenced(node: Node) -> str | None:
    """The variable that a value is a reference to, and nothing else."""
    match = re.fullmatch(REFERENCE, node.text) if isinstance(node, Scalar) else None
    return None if match is None else match[1]


@attrs.define
class _Filler:
    """Fills one tree."""

    report: Report
    environment: Mapping[str, str]
    variables: list[str] = attrs.field(factory=list, init=False)
    size: int = attrs.field(default=0, init=False)

    def map(self, node: Map) -> Map:
        entries = tuple(Entry(one.key, self._below(one)) for one in node.entries)
        return attrs.evolve(node, entries=entries)

    def _below(self, entry: Entry) -> Node:
        is_secret = is_secret_key(key_name(entry.key))
        return entry.value if is_secret else self._node(entry.value)

    def _node(self, node: Node) -> Node:
        match node:
            case Map():
                return self.map(node)
            case Seq():
                return attrs.evolve(node, items=tuple(self._node(item) for item in node.items))
            case Scalar() if isinstance(node.value, str) and OPENING in node.value:
                return self._scalar(node)
        return node

    def _scalar(self, node: Scalar) -> Scalar:
        try:
            text = _PIECE.sub(lambda piece: self._value(piece, node), node.text)
            return attrs.evolve(node, value=_natural(text), text=text, is_filled=True)
        except Rejected:
            return node

    def _value(self, piece: re.Match[str], node: Scalar) -> str:
        name, default = piece[1], piece[2]
        if piece[0] == ESCAPED:
            return OPENING
        if name is None:
            self._reject(node, "interpolation", _HOW)
        if _SECRET_NAME.fullmatch(name):
            hint = "name it in secret_key_ref.env, or rename it if it is no secret"
            self._reject(node, "secret_variable", hint, word=name)
        value = self.environment.get(name)
        is_default = default is not None and not value
        value = default if is_default else value
        if value is None:
            hint = f"set it, or give a default: ${{{name}:-...}}"
            self._reject(node, "unset_variable", hint, word=name)
        self._demand_readable(value, node)
        origin = " (default)" if is_default else ""
        self.variables.append(f"{name}{origin} at {self.report.source.place(node.span)}")
        return value

    def _demand_readable(self, value: str, node: Scalar) -> None:
        """Demand of a value what the reader demands of the text."""
        for bad in FORBIDDEN.findall(value)[:1]:
            hint = "it is in the value of a variable"
            self._reject(node, "forbidden_character", hint, character=f"U+{ord(bad):04X}")
        self.size += len(value)
        if self.size > MAX_FILLED:
            hint = "with its variables filled in"
            self._reject(node, "too_large", hint, limit=show_size(MAX_FILLED))

    def _reject(self, node: Scalar, code: str, hint: str, /, **words: str) -> NoReturn:
        self.report.add(code, node.span, hint=hint, related=(), **words)
        raise Rejected


def _natural(text: str) -> str | int | float | bool:
    """What a plain scalar of that text would be; a variable never makes a value disappear."""
    try:
        value = resolve(text)
    except ValueError:
        return text
    return text if value is None else value
