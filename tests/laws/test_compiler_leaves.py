"""Law: a changed leaf of a configuration changes the digest, or a warning says that it does not.

The exceptions are listed with their reasons.
"""

import re
from collections.abc import Iterator
from types import MappingProxyType

import pytest

from kt.compiler import Compiled, compile_source
from kt.compiler.reader import read
from kt.compiler.tree import Map, Node, Scalar, Seq, key_name
from kt.diagnostics import Report
from kt.errors import ConfigError
from kt.source import Source, Span
from tests.support.config_strategies import WHOLE

POLICIES = """
policies:
  chain: [prompt-injection, pii-detector, audit-logger]
policy:
  pii-detector:
    action: redact
    pci_mode: true
    healthcare_mode: false
    detect_patterns: ['ab+c']
    fail_open: true
    redaction: {marker_format: label, preserve_length: false, custom_markers: {EMAIL: 'x'}}
  prompt-injection: {attack_patterns: ['abc+'], fail_closed: false}
  audit-logger: {log_all_access: true, retention_days: 3}
"""

TARGETS = """
pack: {name: a, version: 1.0.0, enabled: true}
providers:
  targets:
    - id: a
      provider: anthropic
      model: m
      base_url: http://x
      secret_key_ref: {env: KEY}
      api_key_header: h
      api_key_prefix: p
      pool: {max_connections: 5, max_idle_per_host: 4, idle_timeout: 1s}
"""

DESCRIPTIVE = MappingProxyType(
    {
        ("providers", "targets", "provider"): "it only finds the address and headers, given here",
    }
)

OTHER_WORDS = MappingProxyType(
    {"redact": "block", "label": "partial", "h2": "h1", "memory": "redis", "http://x": "http://y"}
)

Path = tuple[str, ...]


def leaves(
    node: Node, path: Path, keys: tuple[Span, ...]
) -> Iterator[tuple[Path, Scalar, tuple[Span, ...]]]:
    """Every scalar value, the keys that lead to it, and where these stand."""
    match node:
        case Scalar():
            yield path, node, keys
        case Seq():
            for item in node.items:
                yield from leaves(item, path, keys)
        case Map():
            for entry in node.entries:
                name = key_name(entry.key)
                yield from leaves(entry.value, (*path, name), (*keys, entry.key.span))


def changed(leaf: Scalar) -> str | None:
    """Another valid value of the same type; None for an empty one."""
    match leaf.value:
        case bool():
            return str(not leaf.value).lower()
        case int():
            return str(leaf.value + 1)
        case str() if leaf.value[:1].isdigit():
            return f"2{leaf.text}"
        case str():
            return OTHER_WORDS.get(leaf.value, f"{leaf.value}x")
    return None


def silent_leaves(text: str) -> list[Path]:
    """Every leaf whose change neither changes the digest nor is warned of."""
    source = Source("kt.yaml", text)
    tree = read(source, Report(source))
    assert tree is not None
    before = compile_source(source).plan.digest
    silent = []
    for path, leaf, keys in leaves(tree, (), ()):
        other = changed(leaf)
        if other is None or path[:2] == ("policies", "chain"):
            continue
        edited = text[: leaf.span.start] + other + text[leaf.span.end :]
        after = compile_source(Source("kt.yaml", edited))
        if after.plan.digest == before and not is_reported(after, keys):
            silent.append(path)
    return silent


def is_reported(compiled: Compiled, keys: tuple[Span, ...]) -> bool:
    """Whether a warning stands at one of the keys that lead to a leaf."""
    return any(one.name == "not_enforced" and one.span in keys for one in compiled.report.warnings)


def without_synonyms(text: str) -> str:
    """The whole example with each thing said once, so that each can be changed alone."""
    twice = ("    inter_chunk_timeout: 30s\n", "    buffer_size: 64KB\n")
    for line in twice:
        text = text.replace(line, "")
    return text.replace("request_timeout: 120s", "request_timeout: 999s")


@pytest.mark.parametrize("text", [without_synonyms(WHOLE), POLICIES, TARGETS])
def test_a_changed_leaf_changes_the_digest_or_is_reported(text: str) -> None:
    silent = silent_leaves(text)
    assert [path for path in silent if path not in DESCRIPTIVE] == []


def test_the_law_of_leaves_finds_one_that_does_nothing() -> None:
    text = "pack: {name: a, version: 1.0.0, enabled: true, description: nothing reads this}"
    assert silent_leaves(text) == [("pack", "description")]


def misspelled(text: str) -> Iterator[tuple[Span, str]]:
    """The text with one letter of one key left out, for each key of more than three letters."""
    source = Source("kt.yaml", text)
    tree = read(source, Report(source))
    assert tree is not None
    for _, _, keys in leaves(tree, (), ()):
        for span in keys:
            if span.end - span.start > 3:
                yield (
                    Span(span.start, span.end - 1),
                    text[: span.start + 1] + text[span.start + 2 :],
                )


def wrong_suggestions(text: str, pattern: str) -> list[str]:
    """Every misspelling of which the suggestion, put in its place, is wrong again there."""
    wrong = []
    for span, broken in misspelled(text):
        hints = hints_at(broken, span)
        for word in re.findall(pattern, hints):
            mended = broken[: span.start] + word + broken[span.end :]
            if hints_at(mended, Span(span.start, span.start + len(word))):
                wrong.append(word)
    return wrong


def hints_at(text: str, span: Span) -> str:
    """The hints of the errors at a key, or `error` where one has no hint."""
    try:
        compile_source(Source("kt.yaml", text))
    except ConfigError as error:
        found = [one.hint or "error" for one in error.report.errors if one.span == span]
        return " ".join(found)
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("text", [without_synonyms(WHOLE), POLICIES, TARGETS])
def test_a_suggestion_would_compile(text: str) -> None:
    assert sum("did you mean" in hints_at(broken, span) for span, broken in misspelled(text)) > 5
    assert wrong_suggestions(text, "did you mean '(.*?)'") == []


def test_the_law_of_suggestions_finds_one_that_would_not_compile() -> None:
    assert wrong_suggestions("pack: {name: a, version: 1.0.0, enabled: true}", "(did) you mean")
