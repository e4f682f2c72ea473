"""The leaves of the model, found from its types, and a text that sets one of them.

A leaf is a key that holds no section of ours. In its path `[]` stands for the items of a list and
`{}` for names of the user's; it begins with `entry` for what an entry of the chain may say.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, get_args, get_origin

import attrs

from kt.compiler import model
from kt.compiler.fields import Duration, Number, Size, Text
from kt.compiler.schema_types import is_section, present, settings
from kt.compiler.sections import Names
from kt.policies import KINDS, AnyValue

# Any: types as values, and YAML documents.


@attrs.frozen(kw_only=True)
class Leaf:
    """A key, what it holds, and what else its section demands."""

    path: str
    due: Any
    default: Any
    limits: tuple[float, float] | None
    sections: tuple[Any, ...]
    """The sections on the way, the innermost last."""


def leaves() -> Iterator[Leaf]:
    """Every leaf: of every section, of entries, and of every kind with its flags."""
    yield from leaves_below(model.Config, "", ())
    yield from leaves_below(model.EntryOptions, "entry.", ())
    for name, kind in KINDS.items():
        yield from leaves_below(kind, f"policy.{name}.", ())
        yield from leaves_below(model.FailFlags, f"policy.{name}.", ())


def leaves_below(due: Any, path: str, above: tuple[Any, ...]) -> Iterator[Leaf]:
    """Every leaf of a section and of those in it."""
    sections = (*above, due)
    for one in settings(due):
        yield from _below(one, present(one.type), f"{path}{one.name}", sections)


def _below(one: Any, due: Any, path: str, sections: tuple[Any, ...]) -> Iterator[Leaf]:
    parts = get_args(due)
    if due in (model.Policies, tuple[model.Block, ...]):
        return  # the chain and the kinds, which stand apart
    if is_section(due):
        yield from leaves_below(due, f"{path}.", sections)
    elif get_origin(due) is tuple and get_origin(parts[0]) is tuple and is_section(inner(parts)):
        yield from leaves_below(inner(parts), f"{path}{{}}.", sections)
    elif get_origin(due) is tuple and is_section(parts[0]):
        yield from leaves_below(parts[0], f"{path}[].", sections)
    else:
        limits = one.metadata.get("range")
        yield Leaf(path=path, due=due, default=one.default, limits=limits, sections=sections)


def inner(parts: tuple[Any, ...]) -> Any:
    """What the values of a map with the user's keys are."""
    return present(get_args(parts[0])[1])


def sample(due: Any, default: Any = None, limits: tuple[float, float] | None = None) -> Any:
    """A valid value of a type that is not the default, as YAML data."""
    due = present(due)
    if isinstance(due, type) and issubclass(due, Enum):
        others = (one for one in reversed(due) if one is not default)
        return next(others, default).value
    if due in (int, Number, float):
        least = 0 if limits is None else limits[0]
        most = 10**9 if limits is None else limits[1]
        number = (default if type(default) in (int, float) else 0) + (0.125 if due is float else 1)
        return min(max(number, least), most)
    scalars = {bool: default is not True, str: "sample", Text: "sample", AnyValue: "sample"}
    scalars |= {Duration: "7s", Size: "7kb", model.Level: 0.5, Names: "sample"}
    scalars |= {model.When: {"path": "/sample"}}
    if due in scalars:
        return scalars[due]
    return _composed(due)


def _composed(due: Any) -> Any:
    parts = get_args(due)
    if get_origin(due) is tuple and get_origin(parts[0]) is tuple:
        return {"sample": sample(get_args(parts[0])[1])}
    if get_origin(due) is tuple:
        return [sample(parts[0])]
    if is_section(due):
        return required(due)
    raise AssertionError(f"no sample of {due}")


def required(due: Any) -> dict[str, Any]:
    """The keys that a section demands."""
    needs = (one for one in settings(due) if one.default is attrs.NOTHING)
    more = {"base_url": "http://sample"} if due is model.Target else {}
    return {one.name: sample(one.type) for one in needs} | more


def below(path: str, sections: Sequence[Any], value: Any) -> Any:
    """What a section holds where one leaf in it is set, and what is demanded is there."""
    for key, section in zip(reversed(path.split(".")), reversed(sections), strict=True):
        held = [value] if key.endswith("[]") else {"sample": value} if key.endswith("{}") else value
        value = {**required(section), key.removesuffix("[]").removesuffix("{}"): held}
    return value


def document(leaf: Leaf, value: Any) -> dict[str, Any]:
    """A configuration that sets a leaf, and as little else as can be."""
    *place, rest = place_of(leaf)
    whole: dict[str, Any] = below(rest, leaf.sections, value)
    if place[:1] == ["policies"]:
        return {"policies": {"chain": [{ENTRY: whole}]}}
    if place[:1] == ["policy"]:
        return {"policies": {"chain": [place[1]]}, "policy": {place[1]: whole}}
    return whole


ENTRY = "pii-detector"
"""The kind of the entry in which an entry's leaves are set."""


def place_of(leaf: Leaf) -> tuple[str, ...]:
    """The keys in front of a leaf's own sections, and the rest of its path."""
    first, _, rest = leaf.path.partition(".")
    if first == "entry":
        return ("policies", "chain[]", ENTRY, rest)
    if first == "policy":
        kind, _, rest = rest.partition(".")
        return ("policy", kind, rest)
    return (leaf.path,)


def keys_to(leaf: Leaf) -> tuple[str, ...]:
    """Every key that leads to a leaf, as `document` writes them."""
    *place, rest = place_of(leaf)
    return (*place, *rest.split("."))
