"""The config-use audit: every leaf of the model is seen to act, reported, or listed with a reason.

The leaves are found from the types, so a new field fails here until it is one of the three.
"""

from collections.abc import Mapping
from enum import EnumMeta
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import pytest

from kt.compiler import compile_source
from kt.compiler.fields import setting
from kt.compiler.model import Config
from kt.compiler.reader import read
from kt.compiler.structure import REFUSED
from kt.compiler.tree import Map, Node, Seq
from kt.diagnostics import Report
from kt.errors import ConfigError
from kt.policies import KINDS
from kt.source import Source, Span
from tests.support.config_strategies import to_flow
from tests.support.config_uses import DESCRIPTIVE, USES
from tests.support.model_leaves import Leaf, document, keys_to, leaves, leaves_below, sample
from tests.support.uses import Use

# Any: YAML documents.

LEAVES = {leaf.path: leaf for leaf in leaves()}

BASE = {
    "pack": {"name": "sample", "version": "1", "enabled": True},
    "policies": {"chain": []},
    "providers": {"targets": [{"id": "one", "base_url": "http://one"}]},
}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KT_TEST_ONE", "the-first-key")
    monkeypatch.setenv("KT_TEST_TWO", "the-other-key")
    monkeypatch.setenv("KEEPTRUSTS_STATE_DIR", str(tmp_path))


def merged(one: Any, other: Any) -> Any:
    """Two documents as one; where both say something, the second is right."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {**one, **{name: merged(one.get(name), value) for name, value in other.items()}}
    if isinstance(one, list) and isinstance(other, list):
        return [merged(a, b) for a, b in zip_longest(one, other)]
    return one if other is None else other


def configured(leaf: Leaf, value: Any, use: Use) -> str:
    """The configuration that sets a leaf to a value, with an audit log at the end of its chain."""
    whole = merged(merged(BASE, document(leaf, value)), use.around)
    entries = whole["policies"]["chain"]
    if "audit-logger" not in entries:
        entries.append("audit-logger")
    return to_flow(whole)


def seen_with(leaf: Leaf, value: Any, use: Use, folder: Path) -> str:
    """What is seen of a gateway with one value of a leaf."""
    return use.probe(configured(leaf, value, use), folder)


def is_seen_to_act(leaf: Leaf, use: Use, folder: Path) -> bool:
    """Whether two values differ in what is seen, and one value does not differ from itself."""
    one, again, other = (
        seen_with(leaf, value, use, folder) for value in (use.one, use.one, use.other)
    )
    assert one == again
    return one != other


@pytest.mark.slow
@pytest.mark.parametrize("path", USES)
def test_a_setting_is_seen_to_act(path: str, tmp_path: Path) -> None:
    assert is_seen_to_act(LEAVES[path], USES[path], tmp_path)


def test_a_setting_that_does_nothing_is_found(tmp_path: Path) -> None:
    assert not is_seen_to_act(LEAVES["pack.author"], Use("one", "two"), tmp_path)


def test_what_differs_by_itself_proves_nothing(tmp_path: Path) -> None:
    runs = iter("abc")
    with pytest.raises(AssertionError):
        is_seen_to_act(LEAVES["pack.name"], Use("one", "two", lambda *_: next(runs)), tmp_path)


SAMPLES: Mapping[str, Any] = MappingProxyType(
    {
        "providers.routing.strategy": "latency",
        "policy.bot-detector.similarity_threshold": 0.5,
    }
)
"""Values of leaves that have more to satisfy than their type."""

ABOUT_A_KEY = frozenset({"not_enforced", "strategy_not_enforced", "needless_order"})
ABOUT_A_KIND = frozenset({"kind_not_enforced"})


def text_of(leaf: Leaf) -> str:
    """A configuration that sets a leaf."""
    if leaf.path in USES:
        return configured(leaf, USES[leaf.path].other, USES[leaf.path])
    known = SAMPLES.get(leaf.path)
    return to_flow(document(leaf, known or sample(leaf.due, leaf.default, leaf.limits)))


def is_reported(text: str, leaf: Leaf) -> bool:
    """Whether the compiler says that nothing acts on a leaf: of its key, one above, or its kind."""
    try:
        kinds = getattr(USES[leaf.path].probe, "kinds", KINDS) if leaf.path in USES else KINDS
        found = compile_source(Source("kt.yaml", text), kinds=kinds).report.warnings
    except ConfigError as error:
        return any(one.name in REFUSED for one in error.report.errors)
    if any(one.name in ABOUT_A_KIND for one in found) and leaf.path.startswith("policy."):
        return True
    places = spans_of(text, leaf)
    return any(one.name in ABOUT_A_KEY and one.span in places for one in found)


def spans_of(text: str, leaf: Leaf) -> set[Span]:
    """Where the keys that lead to a leaf stand, and its value."""
    source = Source("kt.yaml", text)
    node: Node | None = read(source, Report(source))
    spans = set()
    for key in keys_to(leaf):
        assert isinstance(node, Map)
        entry = next(one for one in node.entries if one.key.text == key.rstrip("[]{}"))
        node = entry.value
        spans |= {entry.key.span, node.span}
        if isinstance(node, Seq) and key.endswith("[]"):
            node = node.items[0]
        if isinstance(node, Map) and key.endswith("{}"):
            node = node.entries[0].value
    return spans


def has_one_value(leaf: Leaf) -> bool:
    """Whether a leaf can only say what it says anyway."""
    return isinstance(leaf.due, EnumMeta) and [*leaf.due] == [leaf.default]


def classes_of(leaf: Leaf) -> list[str]:
    """What the audit knows of a leaf: exactly one of these is right."""
    reported = is_reported(text_of(leaf), leaf)
    describes = leaf.path in DESCRIPTIVE or (has_one_value(leaf) and not reported)
    known = {"is seen to act": leaf.path in USES, "describes": describes, "is reported": reported}
    return [name for name, is_so in known.items() if is_so]


def test_every_leaf_is_seen_to_act_or_describes_or_is_reported() -> None:
    found = {path: classes_of(leaf) for path, leaf in LEAVES.items()}
    assert {path: one for path, one in found.items() if len(one) != 1} == {}


def test_the_audit_names_no_leaf_that_is_not_there() -> None:
    assert {*USES, *DESCRIPTIVE, *SAMPLES} <= LEAVES.keys()


def test_a_new_field_is_found_until_somebody_says_what_it_does() -> None:
    @attrs.frozen(kw_only=True)
    class Planted:
        planted: int | None = setting()

    (found,) = leaves_below(Planted, "gateway.", (Config,))
    assert (found.path, classes_of(found)) == ("gateway.planted", [])
