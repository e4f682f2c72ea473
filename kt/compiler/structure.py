"""Structure a tree into the model: types, ranges, unknown keys and words, all problems at once.

In: Tree. Out: Config. Never: a value coerced ("no" is no boolean, 1.0 no version), a problem
without its position. The one cattrs converter is here; its hooks take tree nodes, not plain data.
"""

import types
from enum import Enum
from functools import partial
from typing import Any, Union, get_args, get_origin

import attrs
from cattrs import BaseConverter

from kt.compiler import model
from kt.compiler import provider_sections as provided
from kt.compiler.blocks import Kinds, find_kind, on_trouble, report_problems, split_flags
from kt.compiler.compounds import COMPOUNDS, read_share
from kt.compiler.documents import one_chain
from kt.compiler.entries import Parts, take_apart
from kt.compiler.fields import Duration, Size, Text
from kt.compiler.leaves import LEAVES, Rejected, read_enum, reject
from kt.compiler.shapes import SYNONYMS, canonical, given_twice, synonyms_in
from kt.compiler.tree import Entry, Map, Node, Scalar, Seq, is_null, key_name, leaves
from kt.diagnostics import Report
from kt.policies import AnyValue, PolicyKind
from kt.policy import Phase
from kt.units import show_duration, show_size

# Any stands in this room where a type is a value: cattrs passes classes and generic aliases.


MISSPELLED = 0.85
"""How near a key must be to a known one to be taken for it where any key is accepted."""

SECTIONS = frozenset(
    (
        *(field.name for field in attrs.fields(model.Config)),
        *(accepted for accepted, _ in SYNONYMS if "." not in accepted),
    )
)
"""Every top-level key that is a section's name."""


REFUSED = types.MappingProxyType(
    {
        "literal_secret": "use secret_key_ref with env or store",
        "route_chain": "add the policies to policies.chain, each with a 'when' for this route",
        "includes": "write the policies into this file: without them less would be protected",
    }
)
"""Why a key must not be set -> what to do instead."""


def structure(root: Map, kinds: Kinds, report: Report) -> model.Config | None:
    """Read the whole tree as a configuration; None where what is wrong leaves none to return."""
    structurer = Structurer(report, kinds)
    try:
        root = canonical(one_chain(root, SECTIONS, report), report)
        config = structurer.read(root, model.Config)
    except Rejected:
        return None
    assert isinstance(config, model.Config)  # noqa: S101 - for the type checker: cattrs is untyped
    return config


@attrs.frozen
class Structurer:
    """The converter of one compilation; every hook reports into its report."""

    report: Report
    kinds: Kinds
    converter: BaseConverter = attrs.field(factory=BaseConverter, init=False)

    def __attrs_post_init__(self) -> None:
        """Teach the converter our types, strictest last: the last hook that fits is used."""
        add = self.converter.register_structure_hook_func
        add(attrs.has, self._record)
        add(_is_enum, self._word)
        add(_is_optional, self._optional)
        add(_is_tuple, self._items)
        add(_is_pairs, self._pairs)
        add(lambda due: due == tuple[model.Block, ...], self._blocks)
        add(lambda due: due is model.Policies, self._policies)
        add(lambda due: due == model.AnyEntry, self._chain_entry)
        add(lambda due: due is provided.Share, self._share)
        add(lambda due: due is AnyValue, lambda _node, _due: AnyValue())
        for leaf, read in (*LEAVES.items(), *COMPOUNDS):
            self.converter.register_structure_hook(leaf, partial(_leaf, read, self.report))

    def read(self, node: Node, due: Any) -> Any:
        """Read a node as a type, or raise Rejected with the report filled."""
        return self.converter.structure(node, due)

    def _word(self, node: Node, due: type[Enum]) -> Enum:
        return read_enum(self.report, node, due)

    def _optional(self, node: Node, due: Any) -> Any:
        if isinstance(node, Scalar) and node.value is None:
            return None
        (member,) = (one for one in get_args(due) if one is not type(None))
        return self.read(node, member)

    def _items(self, node: Node, due: Any) -> tuple[Any, ...]:
        if not isinstance(node, Seq):
            raise reject(self.report, node, "a list")
        return self._every(node.items, get_args(due)[0])

    def _every(self, items: tuple[Node, ...], due: Any) -> tuple[Any, ...]:
        read = []
        for item in items:
            try:
                read.append(self.read(item, due))
            except Rejected:
                continue
        if len(read) < len(items):
            raise Rejected
        return tuple(read)

    def _pairs(self, node: Node, due: Any) -> tuple[tuple[str, Any], ...]:
        """A map whose keys are names of the user's: tools, roles, markers."""
        if not isinstance(node, Map):
            raise reject(self.report, node, "a map")
        _, member = get_args(get_args(due)[0])
        values = self._every(tuple(entry.value for entry in node.entries), member)
        keys = (entry.key.text for entry in node.entries)
        # Sorted, because the order of YAML keys means nothing and must not reach the digest.
        return tuple(sorted(zip(keys, values, strict=True), key=_key))

    def _record(self, node: Node, due: Any) -> Any:
        fields = {field.name: field for field in attrs.fields(due)}
        known = {name for name in fields if name != "span"}
        entries, unknown = self._entries(self._as_map(node), known)
        if getattr(due, "ACCEPTS_ANY_KEY", False):
            unknown = self._report_unread(unknown, known - entries.keys())
        else:
            self._report_unknown(unknown, due, known - entries.keys())
        missing = [
            name for name in fields if name in known - entries.keys() and _is_due(fields[name])
        ]
        for name in missing:
            self.report.add("missing_key", node.span, word=name)
        given = {"span": node.span} if "span" in fields else {}
        sunk = hasattr(due, "SECTION") and self._report_sunk(fields, entries)
        is_whole = not (unknown or missing or sunk)
        for name, entry in entries.items():
            try:
                given[name] = self._field(fields[name], entry)
            except Rejected:
                is_whole = False
        if not is_whole:
            raise Rejected
        return due(**given)

    def _report_sunk(self, fields: dict[str, Any], entries: dict[str, Entry]) -> bool:
        """Report sections that act and stand below a key that accepts any: they lost spaces."""
        absent = {name for name, field in fields.items() if name not in entries and _acts(field)}
        free = (one for name, one in entries.items() if _takes_any_key(fields[name].type))
        sunk = [
            (one, below)
            for one in free
            for below in (one.value.entries if isinstance(one.value, Map) else ())
            if key_name(below.key) in absent and isinstance(below.value, Map | Seq)
        ]
        for one, below in sunk:
            hint = f"put it beside '{one.key.text}', as far to the left"
            self.report.add("sunk", below.key.span, word=below.key.text, hint=hint)
        return bool(sunk)

    def _as_map(self, node: Node) -> Map:
        if isinstance(node, Map):
            return node
        if isinstance(node, Scalar) and node.value is None:
            return Map((), node.span)  # `prompt-injection:` alone means "with its defaults"
        raise reject(self.report, node, "a map")

    def _entries(self, map_: Map, known: set[str]) -> tuple[dict[str, Entry], list[Entry]]:
        """The entries of known keys by canonical name, and the others."""
        entries: dict[str, Entry] = {}
        unknown = []
        for entry in map_.entries:
            name = key_name(entry.key)
            if name not in known:
                unknown.append(entry)
            elif entries.setdefault(name, entry) is not entry:
                given_twice(self.report, entries[name], entry)
        return entries, unknown

    def _report_unknown(self, unknown: list[Entry], due: Any, free: set[str]) -> None:
        accepted = free | set(synonyms_in(getattr(due, "SECTION", None), free))
        for entry in unknown:
            hint = self.report.suggest(key_name(entry.key), accepted)
            self.report.add("unknown_key", entry.key.span, word=entry.key.text, hint=hint)

    def _report_unread(self, entries: list[Entry], free: set[str]) -> list[Entry]:
        """Warn of keys that nobody knows where any is accepted; those that are misspelled."""
        misspelled = []
        for entry in entries:
            near = self.report.suggest(key_name(entry.key), free, cutoff=MISSPELLED)
            if near is not None:
                misspelled.append(entry)
                self.report.add("misspelled", entry.key.span, word=entry.key.text, hint=near)
                continue
            hint = "it is not documented what it does, and nothing reads it"
            self.report.add("not_enforced", entry.key.span, word=entry.key.text, hint=hint)
        return misspelled

    def _field(self, field: Any, entry: Entry) -> Any:
        refused = field.metadata.get("refused")
        if refused is not None and not is_null(entry.value):
            self.report.add(refused, entry.value.span, hint=REFUSED[refused])
            raise Rejected
        value = self.read(entry.value, field.type)
        if not field.metadata.get("is_enforced", True):
            hint = _extent(entry, field.type)
            word = self._written(entry.key)
            self.report.add("not_enforced", entry.key.span, word=word, hint=hint)
        self._check_range(field.metadata.get("range"), entry, value)
        return value

    def _written(self, key: Scalar) -> str:
        """A key as the user spelled it, wherever shapes have moved it."""
        return self.report.source.text[key.span.start : key.span.end].strip("\"'") or key.text

    def _check_range(self, limits: tuple[int, int] | None, entry: Entry, value: Any) -> None:
        if limits is None or value is None:
            return
        is_text = isinstance(value, Text)
        least, most = limits
        if not least <= (len(value.value) if is_text else value.value) <= most:
            show = _SHOW.get(type(value), str)
            name = "bad_length" if is_text else "out_of_range"
            self.report.add(name, entry.value.span, least=show(least), most=show(most))
            raise Rejected

    def _policies(self, node: Node, _due: Any) -> model.Policies:
        written = self._record(node, model.WrittenPolicies)
        entries = [one for one in written.chain if isinstance(one, model.ChainEntry)]
        rules = [one for one in written.chain if isinstance(one, model.ModelRule)]
        return model.Policies(chain=tuple(entries), model_rules=tuple(rules))

    def _chain_entry(self, node: Node, _due: Any) -> model.ChainEntry | model.ModelRule:
        parts = take_apart(self.report, self.kinds, node)
        try:
            options = self.read(parts.options, model.EntryOptions)
        finally:  # its settings are read even where its options are wrong
            policy = self._own_policy(parts)
        if parts.kind is None:
            hint = "it looks at no text; nothing routes by model yet"
            self.report.add("not_enforced", parts.span, word=parts.name, hint=hint)
            self._report_idle_conditions(parts.options)
            return model.ModelRule(name=parts.name, options=options, span=parts.span)
        flags, _ = split_flags(parts.options)
        written = model.FailFlags(fail_open=options.fail_open, fail_closed=options.fail_closed)
        return model.ChainEntry(
            kind=parts.kind,
            name=parts.name,
            policy=policy,
            on_trouble=on_trouble(self.report, flags, written),
            options=options,
            keys=tuple(Text(key_name(one.key), one.key.span) for one in parts.options.entries),
            span=parts.span,
        )

    def _report_idle_conditions(self, options: Map) -> None:
        for entry in options.entries:
            if key_name(entry.key) in ("when", "conditions"):
                word, hint = self._written(entry.key), _extent(entry, model.When)
                self.report.add("not_enforced", entry.key.span, word=word, hint=hint)

    def _own_policy(self, parts: Parts) -> PolicyKind | None:
        """The policy of an entry that has settings of its own."""
        if parts.kind is None or not parts.settings.entries:
            return None
        policy: PolicyKind = self.read(parts.settings, self.kinds[parts.kind.value])
        report_problems(self.report, policy, parts.block(parts.kind))
        return policy

    def _share(self, node: Node, due: Any) -> Any:
        is_id = isinstance(node, Scalar) and node.value is not None
        return read_share(self.report, node) if is_id else self._record(node, due)

    def _blocks(self, node: Node, _due: Any) -> tuple[model.Block, ...]:
        first: dict[str, Entry] = {}
        blocks = []
        is_whole = True
        for entry in self._as_map(node).entries:
            try:
                kind = find_kind(self.report, self.kinds, entry.key)
                if kind in first:
                    given_twice(self.report, first[kind], entry)
                else:
                    first[kind] = entry
                    blocks.append(self._block(kind, entry))
            except Rejected:
                is_whole = False
        if not is_whole:
            raise Rejected
        return tuple(sorted(blocks, key=lambda block: block.kind))

    def _block(self, kind: str, entry: Entry) -> model.Block:
        flags, settings = split_flags(self._as_map(entry.value))
        try:
            trouble = on_trouble(self.report, flags, self.read(flags, model.FailFlags))
        finally:  # the kind's own problems are reported even where the flags are wrong
            policy = self.read(settings, self.kinds[kind])
        report_problems(self.report, policy, entry)
        if self.kinds[kind].PHASES == (Phase.AUDIT,):
            hint = "it runs after the answer"
            for flag in flags.entries:
                word = key_name(flag.key)
                self.report.add("not_enforced", flag.key.span, word=word, hint=hint)
        return model.Block(kind=kind, policy=policy, on_trouble=trouble, span=entry.key.span)


_SHOW = types.MappingProxyType({Duration: show_duration, Size: show_size})


def _leaf(read: Any, report: Report, node: Node, _due: Any) -> Any:
    return read(report, node)


def _is_due(field: Any) -> bool:
    return field.default is attrs.NOTHING


def _is_enum(due: Any) -> bool:
    return isinstance(due, type) and issubclass(due, Enum)


def _is_optional(due: Any) -> bool:
    return get_origin(due) in (Union, types.UnionType) and type(None) in get_args(due)


def _is_tuple(due: Any) -> bool:
    return get_origin(due) is tuple and get_args(due)[1:] == (...,)


def _is_pairs(due: Any) -> bool:
    """Whether a type is a map with keys of the user's: `tuple[tuple[str, X], ...]`."""
    if not _is_tuple(due):
        return False
    pair = get_args(due)[0]
    return get_origin(pair) is tuple and get_args(pair)[:1] == (str,) and len(get_args(pair)) == 2


def _key(pair: tuple[str, Any]) -> str:
    return pair[0]


def _extent(entry: Entry, due: Any) -> str | None:
    """How much stands below a key that nothing acts on, and whether any of it is checked."""
    is_made = entry.value.span == entry.key.span  # a synonym, at the place of what it means
    if is_made or not isinstance(entry.value, Map | Seq):
        return None
    count = sum(1 for one in leaves(entry.value))
    settings = f"{count} setting{'s' * (count != 1)} below it"
    return f"{settings}; no keys are known here, so none is checked" if _is_free(due) else settings


def _acts(field: Any) -> bool:
    """Whether a key holds settings that something acts on."""
    is_nested = _is_tuple(field.type) or field.default is not None
    return is_nested and field.metadata.get("is_enforced", True)


def _takes_any_key(due: Any) -> bool:
    """Whether nothing is wrong below a key, whatever the keys there."""
    members = (due, *get_args(due))
    return _is_free(due) or any(getattr(one, "ACCEPTS_ANY_KEY", False) for one in members)


def _is_free(due: Any) -> bool:
    return AnyValue in (due, *get_args(due))
