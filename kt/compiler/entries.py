"""Take an entry of a chain or a list apart: its kind, what holds for it alone, its kind's settings.

In: one item, as a kind, a map with one kind as key, or a map with `name`, `type` and the rest. Out:
the kind and two maps with positions kept. Raises Rejected once a problem is in the report.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias, cast

import attrs

from kt.compiler.blocks import Kinds, find_kind
from kt.compiler.fields import Text
from kt.compiler.kind_names import (
    KIND_OF,
    MODEL_FILTER,
    OBSERVE,
    PATTERNS,
    PERSONAL_DATA,
    PHASE_OF_TYPE,
    RECORD,
    SAFETY,
    TYPES,
    canonical_word,
)
from kt.compiler.leaves import Rejected, read_str, reject
from kt.compiler.model import EntryOptions
from kt.compiler.shapes import given_twice
from kt.compiler.tree import Entry, Map, Node, Scalar, Seq, is_null, key_name
from kt.diagnostics import Report
from kt.policies import PolicyKind
from kt.source import Span

Keys: TypeAlias = dict[str, Entry]

LOOKED_FOR = ("pattern", "patterns", "entity_types")
"""What a list says is looked for: patterns, or names of personal data."""

OPTIONS = frozenset(field.name for field in attrs.fields(EntryOptions))

_ALWAYS = OPTIONS - {
    *("threshold", "sensitivity", "thresholds", "topics", "categories", "allowed_models"),
    *("knowledge_base", "min_citation_coverage", "require_sources"),
}
"""Options that stay options where a kind has a field of that name."""

_LIST_KEYS = OPTIONS | {"type", "config", *LOOKED_FOR}
_ABOUT_MODELS = frozenset({"allowed_models", "preferred_model", "conditions"})
_PATTERN_FIELDS = ("detect_patterns", "attack_patterns", "blocked_patterns")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*")


@attrs.frozen(kw_only=True)
class Parts:
    """An entry, taken apart. Without a kind it looks at no text."""

    kind: Text | None
    name: str
    options: Map
    settings: Map
    span: Span

    def block(self, kind: Text) -> Entry:
        """The settings as a block of their kind, where problems find their places."""
        return Entry(_word(kind.value, kind.span), self.settings)


def take_apart(report: Report, kinds: Kinds, node: Node) -> Parts:
    """Tell what an entry is, whatever its shape."""
    nothing = Map((), node.span)
    if isinstance(node, Scalar) and node.value is not None:
        kind = Text(find_kind(report, kinds, node), node.span)
        name = canonical_word(node.text)
        return Parts(kind=kind, name=name, options=nothing, settings=nothing, span=node.span)
    if isinstance(node, Map):
        others = [one for one in node.entries if key_name(one.key) not in _LIST_KEYS]
        if has_one_key(node) or _lost_indentation(kinds, others):
            beside = [one for one in node.entries if one is not others[0]]
            return _keyed(report, kinds, others[0], beside)
        if len(others) < len(node.entries):
            return _listed(report, kinds, node)
    report.add("bad_chain_entry", node.span)
    raise Rejected


def has_one_key(node: Map) -> bool:
    """Whether an item is a map with one key that can only be a kind."""
    return len(node.entries) == 1 and key_name(node.entries[0].key) not in _LIST_KEYS


def _lost_indentation(kinds: Kinds, others: list[Entry]) -> bool:
    """Whether one key is a kind, whose options stand beside it: published examples lost spaces."""
    words = [canonical_word(one.key.text) for one in others]
    return len(words) == 1 and (words[0] in kinds or words[0] in KIND_OF) and _is_map(others[0])


def _is_map(entry: Entry) -> bool:
    return isinstance(entry.value, Map) or is_null(entry.value)


def _keyed(report: Report, kinds: Kinds, entry: Entry, beside: list[Entry]) -> Parts:
    kind = Text(find_kind(report, kinds, entry.key), entry.key.span)
    keys = _keys(report, (*_below(report, entry.value), *beside))
    name = _name(report, keys) or canonical_word(entry.key.text)
    return _divided(report, kinds, kind, keys, name, entry.key.span)


def _listed(report: Report, kinds: Kinds, node: Map) -> Parts:
    keys = _keys(report, node.entries)
    config = keys.pop("config", None)
    if config is not None:
        keys = _lifted(report, keys, config)
    kind, added = _kind(report, kinds, keys, node)
    keys.pop("type", None)
    for entry in added:
        present = keys.setdefault(key_name(entry.key), entry)
        if present is not entry and key_name(entry.key) == "phase":
            given_twice(report, present, entry)
    name = _name(report, keys)
    if name is None:
        name = MODEL_FILTER if kind is None else kind.value
    return _divided(report, kinds, kind, keys, name, node.span)


def _keys(report: Report, entries: Iterable[Entry]) -> Keys:
    keys: Keys = {}
    for entry in entries:
        first = keys.setdefault(key_name(entry.key), entry)
        if first is not entry:
            given_twice(report, first, entry)
    return keys


def _lifted(report: Report, keys: Keys, config: Entry) -> Keys:
    """The keys with those below `config` beside them."""
    below = _keys(report, _below(report, config.value))
    for name in keys.keys() & below.keys():
        given_twice(report, keys[name], below[name])
    return {**below, **keys}


def _below(report: Report, node: Node) -> tuple[Entry, ...]:
    """The entries of a map; nothing stands for none."""
    if isinstance(node, Map):
        return node.entries
    if is_null(node):
        return ()
    raise reject(report, node, "a map")


def _name(report: Report, keys: Mapping[str, Entry]) -> str | None:
    named = _named(keys)
    return None if named is None else read_str(report, named.value)


def _named(keys: Mapping[str, Entry]) -> Entry | None:
    """What says how an entry is called; a null says nothing."""
    given = (keys[key] for key in ("name", "id") if key in keys)
    return next((one for one in given if not is_null(one.value)), None)


def _kind(
    report: Report, kinds: Kinds, keys: Keys, node: Map
) -> tuple[Text | None, tuple[Entry, ...]]:
    """The kind that type, name or content decide, and what they say beside it."""
    written = keys.get("type")
    word = "" if written is None else canonical_word(read_str(report, written.value))
    if written is not None and word in PHASE_OF_TYPE:
        phase = PHASE_OF_TYPE[word]
        side = Entry(_word("phase", written.key.span), _word(phase, written.value.span))
        return _by_name(report, kinds, keys, node), (side,)
    if word == OBSERVE and written is not None:
        kind = _by_content(keys) or RECORD
        action = Entry(_word("action", written.key.span), _word("flag", written.value.span))
        found = _text(report, kinds, kind, written.value, keys)
        return found, () if kind == RECORD else (action,)
    if word == MODEL_FILTER:
        return None, ()
    if written is None:
        return _by_name(report, kinds, keys, node), ()
    kind = KIND_OF.get(word, word)
    if kind == SAFETY and _by_content(keys) in (PATTERNS, PERSONAL_DATA):
        kind = PATTERNS  # a filter that says what it looks for looks for exactly that
    return _text(report, kinds, kind, written.value, keys), ()


def _by_name(report: Report, kinds: Kinds, keys: Keys, node: Map) -> Text | None:
    """The kind of an entry whose type does not say it."""
    named = _named(keys)
    place: Node = node if named is None else named.value
    word = "" if named is None else canonical_word(read_str(report, named.value))
    kind = KIND_OF.get(word, word)
    content = _by_content(keys)
    if kind not in kinds or (kind == SAFETY and content in (PATTERNS, PERSONAL_DATA)):
        kind = content or kind
    if kind not in kinds and (word == MODEL_FILTER or keys.keys() & _ABOUT_MODELS):
        return None
    if not word and not kind:
        _report_near(report, keys)
        report.add("missing_key", node.span, word="type")
        raise Rejected
    return _text(report, kinds, kind, place, keys)


def _by_content(keys: Keys) -> str | None:
    """The kind that looks for what an entry says is looked for."""
    listed = [_scalars(keys[key].value) for key in LOOKED_FOR if key in keys]
    if "pattern" in keys or (listed and not all(map(_are_names, listed))):
        return PATTERNS
    if listed:
        return PERSONAL_DATA
    return SAFETY if keys.keys() & {"topics", "categories"} else None


def _scalars(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Seq) else (node,)


def _are_names(nodes: tuple[Node, ...]) -> bool:
    return all(isinstance(node, Scalar) and _WORD.fullmatch(node.text) for node in nodes)


def _text(report: Report, kinds: Kinds, kind: str, place: Node, keys: Keys) -> Text:
    """A kind that is known, at the place that names it."""
    if kind not in kinds:
        _report_near(report, keys)
        word = place.text if isinstance(place, Scalar) else kind
        hint = report.suggest(canonical_word(word), (*kinds, *TYPES))
        report.add("unknown_kind", place.span, word=word, hint=hint or "give it a 'type'")
        raise Rejected
    return Text(kind, place.span)


def _report_near(report: Report, keys: Keys) -> None:
    """Report keys that are nearly right: one of them may be why nothing tells what this is."""
    for name, entry in keys.items():
        known = {*_LIST_KEYS, "rules"} - keys.keys()
        hint = None if name in _LIST_KEYS else report.suggest(name, known)
        if hint is not None:
            report.add("unknown_key", entry.key.span, word=entry.key.text, hint=hint)


def _word(text: str, span: Span) -> Scalar:
    return Scalar(text, span, text)


def _divided(
    report: Report, kinds: Kinds, kind: Text | None, keys: Keys, name: str, span: Span
) -> Parts:
    """Every key given to the options or to the kind; the rest is reported."""
    own = _fields_of(None if kind is None else kinds[kind.value])
    options, settings, unknown = [], [], []
    for key, entry in keys.items():
        if key in LOOKED_FOR and key not in own - {"patterns"}:
            continue
        if key in OPTIONS and (key in _ALWAYS or key not in own or _is_level(key, entry)):
            options.append(entry)
        elif key in own:
            settings.append(entry)
        else:
            unknown.append(entry)
    settings += _looked_for(report, keys, own, unknown)
    for entry in unknown:
        hint = report.suggest(key_name(entry.key), (own | _LIST_KEYS) - keys.keys())
        report.add("unknown_key", entry.key.span, word=entry.key.text, hint=hint)
    if unknown:
        raise Rejected
    return Parts(
        kind=kind,
        name=name,
        options=Map(tuple(options), span),
        settings=Map(tuple(settings), span),
        span=span,
    )


def _fields_of(kind: type[PolicyKind] | None) -> frozenset[str]:
    if kind is None:
        return frozenset()
    return frozenset(one.name for one in attrs.fields(cast("type[attrs.AttrsInstance]", kind)))


def _is_level(key: str, entry: Entry) -> bool:
    """Whether a threshold is a word, which no kind compares anything with."""
    is_text = isinstance(entry.value, Scalar) and isinstance(entry.value.value, str)
    return key in ("threshold", "sensitivity") and is_text


def _looked_for(
    report: Report, keys: Keys, own: frozenset[str], unknown: list[Entry]
) -> list[Entry]:
    """What a list says is looked for, as the fields of the kind that say the same."""
    found: dict[str, list[Node]] = {}
    first: Keys = {}
    for key in LOOKED_FOR:
        entry = keys.get(key)
        if entry is None:
            continue
        for node in _scalars(entry.value):
            field = _field_for(node, own)
            if field is None:
                unknown.append(entry)
                break
            first.setdefault(field, entry)
            found.setdefault(field, []).append(node)
    if found and "entities" in own and "entities" not in keys:
        # Exactly what is listed: the built-in entities are for who lists nothing.
        any_entry = next(iter(first.values()))
        first.setdefault("entities", any_entry)
        found.setdefault("entities", [])
    made = []
    for field, nodes in found.items():
        entry = first[field]
        value = Seq(tuple(nodes), entry.value.span)
        one = Entry(attrs.evolve(entry.key, value=field, text=field), value)
        if field in keys and field != key_name(entry.key):
            given_twice(report, keys[field], one)
        else:
            made.append(one)
    return made


def _field_for(node: Node, own: frozenset[str]) -> str | None:
    """The field of a kind that takes one thing that is looked for."""
    if isinstance(node, Map):
        return "patterns" if "patterns" in own else None
    if "entities" in own and _are_names((node,)):
        return "entities"
    return next((field for field in _PATTERN_FIELDS if field in own), None)
