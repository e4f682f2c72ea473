"""The JSON Schema of a configuration, for editors: derived from what `structure` reads.

In: the model, its metadata, the tables of spellings and names, the kinds. Out: a schema (draft 7)
that accepts every configuration that compiles, in every published shape, and refuses wrong types,
keys, words and ranges. Never: a list of keys of its own. What one value says about another is left
to the compiler, and so is which keys an item of a list has, where its name or content decide.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from kt.compiler import model
from kt.compiler import provider_sections as provided
from kt.compiler.documents import SIDES
from kt.compiler.entries import LOOKED_FOR
from kt.compiler.kind_names import KIND_OF, SINGLE, TYPES
from kt.compiler.schema_forms import (
    Schema,
    closed_map,
    has_key,
    key,
    list_of,
    nullable,
    reference,
    spelled,
    word,
)
from kt.compiler.schema_types import (
    field,
    inside,
    name_of,
    present,
    section,
    sections_in,
    settings,
)
from kt.compiler.shapes import SYNONYMS, TARGET_SYNONYMS
from kt.policies import KINDS, PolicyKind

# Any stands in this room where a type is a value.

Kinds: TypeAlias = tuple[type[PolicyKind], ...]

DIALECT = "http://json-schema.org/draft-07/schema#"

_HEAD = ("name", "version", "enabled")
"""What `policy` holds in a document of one policy."""


def schema_text(known: Mapping[str, type[PolicyKind]] = KINDS) -> str:
    """The schema as JSON, the same bytes for the same kinds."""
    kinds = tuple(known.values())
    definitions = {
        **{name_of(one): section(one, _synonyms(one)) for one in sections_in(model.Config)},
        **{name_of(one): section(one) for kind in kinds for one in sections_in(kind)},
        **{name_of(kind): section(kind, _fields(model.FailFlags)) for kind in kinds},
        **_providers(),
        **_entries(kinds),
        name_of(model.Config): _document(),
    }
    root = {"$schema": DIALECT, "title": "policy-config.yaml", "type": "object", **_root(kinds)}
    return json.dumps({**root, "definitions": dict(sorted(definitions.items()))}, indent=2)


def _root(kinds: Kinds) -> Schema:
    """A document of one policy where it is one, else one of all the other shapes."""
    others = [has_key(name) for name in ("pack", "policies", *(name for name, _ in SIDES))]
    about = {"type": "object", "anyOf": [has_key(name) for name in _HEAD]}
    is_single = {"properties": {"policy": about}, "required": ["policy"], "not": {"anyOf": others}}
    singles = [_single(kind) for kind in kinds if kind.KIND in SINGLE]
    document = reference(name_of(model.Config))
    return {"if": is_single, "then": {"anyOf": singles}, "else": document} if singles else document


def _document() -> Schema:
    lists = {name: nullable(list_of(reference("item"))) for name, _ in SIDES}
    return section(model.Config, {**_synonyms(model.Config), **lists})


def _single(kind: type[PolicyKind]) -> Schema:
    """A document of one policy: the settings of its kind stand beside the other sections."""
    sections = {**_fields(model.Config), **_synonyms(model.Config)}
    own = _fields(kind) | _fields(model.FailFlags)
    both = own.keys() & {"providers"}  # the kind's own where it is a list
    merged = {name: {"anyOf": [sections[name], own[name]]} for name in both}
    head = {"policy": reference(name_of(model.Pack))}
    return closed_map({**own, **sections, **merged, **head}, needs=("policy",))


def _fields(due: Any) -> dict[str, Schema]:
    return {one.name: field(one) for one in settings(due)}


def _synonyms(due: Any) -> dict[str, Schema]:
    """The other keys that a section accepts, with what stands at their canonical place."""
    at = getattr(due, "SECTION", None)
    rows = ((accepted.rpartition("."), place) for accepted, place in SYNONYMS)
    return {name: _at(model.Config, place) for (where, _, name), place in rows if where == at}


def _at(due: Any, place: str) -> Schema:
    """What stands at a dotted place below a section."""
    *steps, last = place.split(".")
    for step in steps:
        due = present(inside(due, step))
    return _fields(due)[last]


def _providers() -> dict[str, Schema]:
    """The map of providers or the list of targets alone, and how a target may be written."""
    providers = reference(name_of(model.Providers))
    share = {"anyOf": [{"type": "string"}, reference(name_of(provided.Share))]}
    targets = list_of(reference(name_of(model.Target)))
    return {
        "providers": {"anyOf": [providers, targets]},
        "share": share,
        name_of(model.Target): _target(),
    }


def _target() -> Schema:
    """A target; what stands in its `provider` stands beside it, the required keys too."""
    more = {name: _at(model.Target, place) for name, place in TARGET_SYNONYMS}
    written = section(model.Target, more)
    beside = {**written, "type": "object", "description": "The same as beside it."}
    demands = beside.pop("allOf")
    properties = written["properties"]
    provider = {"anyOf": [properties["provider"], beside]}
    return {
        **written,
        "properties": {**properties, "provider": provider},
        "allOf": [{"anyOf": [demand, _provider_has(demand)]} for demand in demands],
    }


def _provider_has(demand: Schema) -> Schema:
    return {"required": ["provider"], "properties": {"provider": {"type": "object", **demand}}}


def _entries(kinds: Kinds) -> dict[str, Schema]:
    """The sections of kinds, and what a chain and a list may hold."""
    names = _names(kinds)
    blocks = {name: reference(name_of(kind)) for name, kind in names.items()}
    keyed = {name: reference(f"entry.{kind.KIND}") for name, kind in names.items()}
    one_kind = {**closed_map(keyed), "type": "object", "minProperties": 1, "maxProperties": 1}
    items = list_of(reference("item"))
    chain = reference(name_of(model.WrittenPolicies))
    return {
        "blocks": closed_map(blocks),
        "policies": {"anyOf": [chain, items]},
        "kind": word(names),
        "type": word((*(kind.KIND for kind in kinds), *TYPES)),
        "entry": {"anyOf": [reference("kind"), one_kind, _listed(kinds, ())]},
        "item": {"anyOf": [reference("entry"), _group(kinds)]},
        **{f"option.{name}": one for name, one in _fields(model.EntryOptions).items()},
        **{f"entry.{kind.KIND}": _entry(kind) for kind in kinds},
    }


def _names(kinds: Kinds) -> dict[str, type[PolicyKind]]:
    """The kinds by every name that a chain and a section may have for them."""
    known = {kind.KIND: kind for kind in kinds}
    return {**known, **{name: known[kind] for name, kind in KIND_OF.items() if kind in known}}


def _entry(kind: Any) -> Schema:
    """What stands below a kind in a chain: options of the entry and settings of the kind."""
    own = _fields(kind)
    options = {one: reference(f"option.{one}") for one in _fields(model.EntryOptions)}
    both = {name: {"anyOf": [options[name], own[name]]} for name in options.keys() & own.keys()}
    return closed_map({**options, **own, **dict(sorted(both.items())), **_looked_for()})


def _looked_for() -> dict[str, Schema]:
    """Patterns and names, one or many: which of them a kind takes is left to the compiler."""
    return {name: {} for name in LOOKED_FOR}


def _listed(kinds: Kinds, more: Iterable[str]) -> Schema:
    """An item with `name` and `type`; what else it may hold, its name and content decide."""
    options = _fields(model.EntryOptions)
    own = {name for kind in kinds for name in _fields(kind)}
    typed = {"type": reference("type"), "config": {"type": ["object", "null"]}}
    open_keys = (own & options.keys()) | {*LOOKED_FOR, *more}
    known = {name: reference(f"option.{name}") for name in options.keys() - open_keys}
    names = {*options, *own, *typed, *open_keys}
    return {
        "type": "object",
        "minProperties": 1,
        **spelled(dict(sorted({**known, **typed}.items()))),
        "propertyNames": key(sorted(names)),
    }


def _group(kinds: Kinds) -> Schema:
    """Rules that share what stands beside them."""
    listed = _listed(kinds, ("rules",))
    empty = {"type": "object", "maxProperties": 0}  # it is what stands beside the rules
    rules = {**list_of({"anyOf": [reference("entry"), empty]}), "minItems": 1}
    return {**listed, "properties": {**listed["properties"], "rules": rules}, **has_key("rules")}
