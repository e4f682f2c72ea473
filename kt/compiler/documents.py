"""Map the shape of a whole document onto one chain: lists, rule groups, one policy alone.

In: a tree of any published shape. Out: a tree with `policies.chain`, positions kept. Never: a
value changed, a finding about an entry; what an entry means is for `entries`.
"""

import attrs

from kt.compiler.entries import has_one_key
from kt.compiler.kind_names import KIND_OF, SINGLE, canonical_word
from kt.compiler.shapes import given_twice
from kt.compiler.tree import Entry, Map, Node, Scalar, Seq, is_null, key_name
from kt.diagnostics import Report
from kt.source import NOWHERE, Span

SIDES = (("input_policies", "input"), ("output_policies", "output"))
"""Lists of policies that fix the phase."""

_LISTS = ("policies", *(name for name, _ in SIDES))
_HEAD = frozenset({"name", "version", "enabled"})
_NOTHING = Scalar(None, NOWHERE, "")
_NOT_INHERITED = frozenset({"rules", "name", "id", "description"})


def one_chain(root: Map, sections: frozenset[str], report: Report) -> Map:
    """The tree with everything that runs in `policies.chain`; `sections` are the top-level keys."""
    if _is_single(root):
        return _from_single(root, sections, report)
    policies, *sides = (_only(root, name, report) for name in _LISTS)
    is_list = policies is not None and isinstance(policies.value, Seq)
    lists = [one for one in (policies if is_list else None, *sides) if one is not None]
    chained = None if is_list else _chained(policies)
    if not lists or (chained is None and not is_list):
        return root
    items = [*(chained or ())]
    for given in lists:
        phase = dict(SIDES).get(key_name(given.key))
        found = _items(given, report)
        items += found if phase is None else [_on_side(one, phase, given) for one in found]
    return _with_chain(root, lists[0], tuple(items))


def _only(root: Map, name: str, report: Report) -> Entry | None:
    """The entry of a key; other spellings of it must say the same."""
    found = [one for one in root.entries if key_name(one.key) == name]
    for other in found[1:]:
        given_twice(report, found[0], other)
    return found[0] if found else None


def _chained(policies: Entry | None) -> tuple[Node, ...] | None:
    """What stands in a chain that is written as such; None where that is none."""
    if policies is None or isinstance(policies.value, Scalar):
        return () if policies is None or policies.value == _NOTHING else None
    chain = policies.value.get("chain") if isinstance(policies.value, Map) else None
    if chain is None or chain.value == _NOTHING:
        return ()
    return chain.value.items if isinstance(chain.value, Seq) else None


def _items(entry: Entry, report: Report) -> tuple[Node, ...]:
    if isinstance(entry.value, Seq):
        return _expanded(entry.value, report)
    if entry.value != _NOTHING:
        found = entry.value.found
        report.add("wrong_type", entry.value.span, expected="a list", found=found)
    return ()


def _with_chain(root: Map, given: Entry, items: tuple[Node, ...]) -> Map:
    policies = root.get("policies")
    others = tuple(entry for entry in root.entries if key_name(entry.key) not in _LISTS)
    span = given.value.span
    kept: tuple[Entry, ...] = ()
    if policies is not None and isinstance(policies.value, Map):
        kept = tuple(one for one in policies.value.entries if key_name(one.key) != "chain")
    chain = _entry("chain", given.key.span, Seq(items, span))
    whole = Map((*kept, chain), span)
    return attrs.evolve(root, entries=(*others, _entry("policies", given.key.span, whole)))


def _entry(name: str, span: Span, value: Node) -> Entry:
    return Entry(Scalar(name, span, name), value)


def _on_side(item: Node, phase: str, given: Entry) -> Node:
    """An item of a list whose name fixes the phase, with that phase said."""
    side = _entry("phase", given.key.span, Scalar(phase, given.key.span, phase))
    if isinstance(item, Scalar) and not is_null(item):
        return Map((Entry(item, Map((side,), item.span)),), item.span)
    if not isinstance(item, Map):
        return item
    if not has_one_key(item):
        return attrs.evolve(item, entries=(*item.entries, side))
    (only,) = item.entries
    if not isinstance(only.value, Map) and not is_null(only.value):
        return item  # its settings are no map, which is for whoever reads them to say
    value = Map((*_of(only.value), side), only.value.span)
    return attrs.evolve(item, entries=(Entry(only.key, value),))


def _of(node: Node) -> tuple[Entry, ...]:
    return node.entries if isinstance(node, Map) else ()


def _expanded(listed: Seq, report: Report) -> tuple[Node, ...]:
    """The items of a list, every rule group replaced by its rules."""
    items: list[Node] = []
    for item in listed.items:
        rules = item.get("rules") if isinstance(item, Map) else None
        if rules is None or not isinstance(item, Map):
            items.append(item)
        elif isinstance(rules.value, Seq) and rules.value.items:
            items += _rules(item, rules.value)
        else:  # an empty one would leave what stands beside it unread
            is_empty = isinstance(rules.value, Seq)
            found = "an empty one" if is_empty else rules.value.found
            report.add("wrong_type", rules.value.span, expected="a list of rules", found=found)
    return tuple(items)


def _rules(group: Map, rules: Seq) -> list[Node]:
    """Every rule of a group with what the group says for all, and a name of its own."""
    given = (group.get("name"), group.get("id"))
    name = next((one for one in given if one is not None and not is_null(one.value)), None)
    shared = [one for one in group.entries if key_name(one.key) not in _NOT_INHERITED]
    made: list[Node] = []
    for number, item in enumerate(rules.items, start=1):
        rule = _as_rule(item)
        if not isinstance(rule, Map):
            made.append(rule)
            continue
        own = {key_name(one.key) for one in rule.entries}
        added = [one for one in shared if key_name(one.key) not in own]
        if name is not None and not own & {"name", "id"}:
            added.append(_numbered(name, number, len(rules.items)))
        made.append(attrs.evolve(rule, entries=(*rule.entries, *added)))
    return made


def _as_rule(item: Node) -> Node:
    """A kind alone as a map, which can say more; a name that says nothing left out."""
    if isinstance(item, Scalar) and not is_null(item):
        return Map((_entry("type", item.span, item),), item.span)
    if not isinstance(item, Map):
        return item
    kept = [
        one
        for one in item.entries
        if key_name(one.key) not in ("name", "id") or not is_null(one.value)
    ]
    return attrs.evolve(item, entries=tuple(kept))


def _numbered(name: Entry, number: int, count: int) -> Entry:
    value = name.value
    if count > 1 and isinstance(value, Scalar) and isinstance(value.value, str):
        text = f"{value.text}.{number}"
        value = attrs.evolve(value, value=text, text=text)
    return Entry(attrs.evolve(name.key, value="name", text="name"), value)


def _is_single(root: Map) -> bool:
    """Whether a document is about one policy: `policy` holds its name, not its settings."""
    if root.get("pack") or any(root.get(name) for name in _LISTS):
        return False
    policy = root.get("policy")
    return policy is not None and any(key_name(one.key) in _HEAD for one in _of(policy.value))


def _from_single(root: Map, sections: frozenset[str], report: Report) -> Map:
    """The document of one policy as a pack, a chain of one and the settings of its kind."""
    policy = root.get("policy")
    assert policy is not None  # noqa: S101 - that is what makes it one
    head = _entry("pack", policy.key.span, policy.value)
    kind = _single_kind(root, policy, report)
    if kind is None:
        return attrs.evolve(root, entries=(head,))
    own: list[Entry] = []
    others: list[Entry] = []
    for one in root.entries:
        name = key_name(one.key)
        is_own = name not in sections or (name == "providers" and isinstance(one.value, Seq))
        (own if is_own else others).append(one)
    others.remove(policy)
    settings = Map((Entry(kind, Map(tuple(own), root.span)),), root.span)
    chain = Map((_entry("chain", kind.span, Seq((kind,), kind.span)),), kind.span)
    made = (head, _entry("policies", kind.span, chain), _entry("policy", kind.span, settings))
    return attrs.evolve(root, entries=(*made, *others))


def _single_kind(root: Map, policy: Entry, report: Report) -> Scalar | None:
    """The kind of a single-policy document: its name, else the sections beside it."""
    name = next((one for one in _of(policy.value) if key_name(one.key) == "name"), None)
    place = policy.key if name is None or not isinstance(name.value, Scalar) else name.value
    word = canonical_word(place.text)
    word = KIND_OF.get(word, word)
    if word not in SINGLE:
        keys = {key_name(one.key) for one in root.entries}
        known = [kind for kind, names in SINGLE.items() if keys & set(names)]
        if len(known) != 1:
            hint = f"a document of one policy is about {', '.join(SINGLE)}"
            report.add("unknown_kind", place.span, word=place.text, hint=hint)
            return None
        word = known[0]
    return Scalar(word, place.span, word)
