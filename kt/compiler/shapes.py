"""Map every accepted spelling and shape of the tree onto the canonical one.

In: a tree as written. Out: a tree with canonical keys at canonical places, positions kept. Never: a
value changed; two spellings of one thing that differ are reported with both places.
"""

from collections.abc import Callable, Collection

import attrs

from kt.compiler.tree import Entry, Map, Node, Scalar, Seq, key_name
from kt.compiler.variables import referenced
from kt.diagnostics import Related, Report
from kt.units import parse_duration, parse_size

SYNONYMS = (
    ("gateway.port", "gateway.listen_port"),
    ("gateway.timeouts.connect_timeout", "gateway.timeouts.connect"),
    ("gateway.timeouts.request_timeout", "gateway.timeouts.request"),
    ("gateway.timeouts.idle_timeout", "gateway.timeouts.idle"),
    ("gateway.timeouts.first_byte_timeout", "gateway.timeouts.first_byte"),
    ("gateway.timeouts.policy_timeout", "gateway.timeouts.policy_eval"),
    ("gateway.streaming.inter_chunk_timeout", "gateway.timeouts.streaming_idle"),
    ("gateway.streaming.buffer_size", "gateway.buffers.streaming_buffer"),
    ("provider_routing", "providers.routing"),
    ("cache", "gateway.cache"),
    ("provider_fallback", "providers.fallback"),
    ("fallback", "providers.fallback"),
    ("circuit_breaker", "providers.circuit_breaker"),
    ("mirroring", "traffic_mirroring"),
    ("providers.mirroring", "traffic_mirroring"),
    ("providers.model_groups", "model_groups"),
    ("ab_test", "providers.ab_test"),
    ("providers.strategy", "providers.routing.strategy"),
)
"""Accepted place -> canonical place. The one table of spellings."""


TARGET_SYNONYMS = (
    ("zdr", "data_policy.zero_data_retention"),
    ("accountIdEnvar", "cloudflare_account_id_env"),
    ("accountIdentifierEnvar", "snowflake_account_identifier_env"),
)
"""The same for every target, below `providers.targets`."""


def canonical(root: Map, report: Report) -> Map:
    """The tree with every synonym at its canonical place."""
    root = _with_target_list(root)
    root = _each(
        root,
        "consumer_groups",
        lambda one: _with_reference(one, "api_key", report, place="api_key_ref"),
    )
    root = _each(root, "callbacks", lambda one: _with_reference(one, "secret_key", report))
    root = _within(
        root,
        ("providers",),
        lambda providers: _each(providers, "targets", lambda one: _lifted(one, report)),
    )
    return _moved(root, SYNONYMS, report)


def _moved(root: Map, rows: tuple[tuple[str, str], ...], report: Report) -> Map:
    for accepted, place in rows:
        root = _move(root, tuple(accepted.split(".")), tuple(place.split(".")), report)
    return root


def _with_target_list(root: Map) -> Map:
    """The tree with `providers` as a map: a list of providers is a list of targets."""
    providers = root.get("providers")
    if providers is None or not isinstance(providers.value, Seq):
        return root
    targets = Entry(attrs.evolve(providers.key, value="targets", text="targets"), providers.value)
    value = Map((targets,), providers.value.span)
    return _replaced(root, providers, attrs.evolve(providers, value=value))


def synonyms_in(section: str | None, free: Collection[str]) -> tuple[str, ...]:
    """The accepted spellings in a section of what is not given there yet."""
    rows = ((accepted.rpartition("."), place.rpartition(".")) for accepted, place in SYNONYMS)
    return tuple(
        accepted[2]
        for accepted, place in rows
        if accepted[0] == section and (place[0] != section or place[2] in free)
    )


def given_twice(report: Report, first: Entry, second: Entry) -> None:
    """Report two entries that mean one thing, unless they say the same."""
    if _meaning(first.value) == _meaning(second.value):
        return
    first, second = sorted((first, second), key=lambda entry: entry.key.span.start)
    report.add(
        "given_twice",
        second.key.span,
        word=second.key.text,
        other=first.key.text,
        related=(Related("first given", first.key.span),),
    )


def _meaning(node: Node) -> object:
    if not isinstance(node, Scalar):
        return node
    for kind, parse in (("duration", parse_duration), ("size", parse_size)):
        try:
            return kind, parse(node.text)
        except ValueError:
            continue
    return type(node.value), node.value


def _each(node: Map, name: str, change: Callable[[Map], Map]) -> Map:
    """The map with every map in the list of a key changed."""
    listed = node.get(name)
    if listed is None or not isinstance(listed.value, Seq):
        return node
    items = tuple(change(item) if isinstance(item, Map) else item for item in listed.value.items)
    changed = attrs.evolve(listed, value=attrs.evolve(listed.value, items=items))
    return _replaced(node, listed, changed)


def _lifted(target: Map, report: Report) -> Map:
    """The target with what stands below `provider:` beside it: both readings mean the same."""
    provider = target.get("provider")
    if provider is None or not isinstance(provider.value, Map):
        return _moved(_with_reference(target, "api_key", report), TARGET_SYNONYMS, report)
    target = _without(target, provider)
    present = {key_name(entry.key): entry for entry in target.entries}
    added = []
    for entry in provider.value.entries:
        first = present.get(key_name(entry.key))
        if first is None:
            added.append(entry)
        else:
            given_twice(report, first, entry)
    target = attrs.evolve(target, entries=(*target.entries, *added))
    return _moved(_with_reference(target, "api_key", report), TARGET_SYNONYMS, report)


def _with_reference(node: Map, key: str, report: Report, *, place: str = "secret_key_ref") -> Map:
    """The map with a secret's `${NAME}` as the reference that it is: the value stays outside."""
    entry = node.get(key)
    name = None if entry is None else referenced(entry.value)
    if entry is None or name is None:
        return node
    span = entry.value.span
    env = Entry(Scalar("env", entry.key.span, "env"), Scalar(name, span, name))
    moved = attrs.evolve(entry, value=Map((env,), span))
    return _put(_without(node, entry), moved, place, report)


def _move(root: Map, accepted: tuple[str, ...], place: tuple[str, ...], report: Report) -> Map:
    source = _at(root, accepted[:-1])
    entry = source.get(accepted[-1]) if source else None
    if entry is None or not _can_hold(root, place[:-1]):
        return root
    root = _within(root, accepted[:-1], lambda node: _without(node, entry))
    return _within(root, place[:-1], lambda node: _put(node, entry, place[-1], report), entry)


def _at(root: Map, path: tuple[str, ...]) -> Map | None:
    node: Node = root
    for name in path:
        entry = node.get(name) if isinstance(node, Map) else None
        if entry is None:
            return None
        node = entry.value
    return node if isinstance(node, Map) else None


def _can_hold(root: Map, path: tuple[str, ...]) -> bool:
    """Whether the map at a path is there or can be made: nothing else stands in its way."""
    for depth in range(1, len(path) + 1):
        parent = _at(root, path[: depth - 1])
        entry = parent.get(path[depth - 1]) if parent else None
        if entry is not None and not isinstance(entry.value, Map):
            return False
    return True


def _within(
    node: Map, path: tuple[str, ...], change: Callable[[Map], Map], made_for: Entry | None = None
) -> Map:
    """The map with the map at a path changed; what is missing on the way is made for an entry."""
    if not path:
        return change(node)
    entry = node.get(path[0])
    if entry is None and made_for is not None:
        entry = _empty(path[0], made_for)
        node = attrs.evolve(node, entries=(*node.entries, entry))
    if entry is None or not isinstance(entry.value, Map):
        return node
    value = _within(entry.value, path[1:], change, made_for)
    return _replaced(node, entry, attrs.evolve(entry, value=value))


def _empty(name: str, made_for: Entry) -> Entry:
    span = made_for.key.span
    return Entry(Scalar(name, span, name), Map((), span))


def _put(node: Map, entry: Entry, name: str, report: Report) -> Map:
    present = node.get(name)
    if present is not None:
        given_twice(report, present, entry)
        return node
    renamed = Entry(attrs.evolve(entry.key, value=name, text=name), entry.value)
    return attrs.evolve(node, entries=(*node.entries, renamed))


def _without(node: Map, entry: Entry) -> Map:
    return attrs.evolve(node, entries=tuple(one for one in node.entries if one is not entry))


def _replaced(node: Map, old: Entry, new: Entry) -> Map:
    entries = tuple(new if one is old else one for one in node.entries)
    return attrs.evolve(node, entries=entries)
