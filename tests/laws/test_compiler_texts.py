"""Laws of the way in: any text gives a plan or diagnostics; the order of keys means nothing."""

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kt.compiler import Compiled, compile_source
from kt.compiler.places import places_of
from kt.compiler.reader import MAX_BYTES, read
from kt.compiler.tree import Entry, Map, Node, Scalar, Seq, nodes
from kt.diagnostics import Report
from kt.errors import ConfigError
from kt.plan import canonical_json
from kt.planfile import write_plan
from kt.source import Source, Span
from tests.support.config_strategies import (
    WHOLE,
    Data,
    broken_texts,
    configs,
    permuted,
    texts,
    to_block,
    to_flow,
)

SPELLINGS = (
    *("a", "(", "(?:", "(?", "(?<n>", "(?i)", "(?=", "(?>", "(?#", ")", "|", "*", "+", "?", "{2}"),
    *(
        "{",
        "}",
        "[",
        "[^",
        "]",
        "-",
        "\\",
        "\\b",
        "\\d",
        "\\x",
        "\\p{L}",
        "^",
        "$",
        "[:",
        "--",
        "1",
    ),
)
"""Pieces of patterns, right and wrong ones."""

Compile = Callable[[Source], Compiled]


def check_any_text(compile_text: Compile, text: str) -> None:
    """Compile; the only exception is ConfigError, its spans lie in the text, it can be shown."""
    try:
        report = compile_text(Source("kt.yaml", text)).report
    except ConfigError as error:
        report = error.report
        assert report.errors
    for found in (*report.errors, *report.warnings):
        for span in (found.span, *(one.span for one in found.related)):
            assert 0 <= span.start <= span.end <= len(report.source.text)
    report.show().encode()


@given(texts())
@example("\ufeffgateway: {}")
@example("a: " + "{a: " * 200)
@example("- " * 500)
@example("? " * 500)
@example("gateway: {listen_port: 0x" + "f" * 5000 + "}")
@example('pack: {name: "\\ud800", version: "\\0", enabled: true}')
def test_any_text_gives_a_plan_or_diagnostics(text: str) -> None:
    check_any_text(compile_source, text)


@given(st.lists(st.one_of(st.sampled_from(SPELLINGS), st.text(max_size=3)), max_size=8))
def test_any_pattern_gives_a_plan_or_diagnostics(pieces: list[str]) -> None:
    pattern = json.dumps("".join(pieces))
    policy = f"policy: {{pii-detector: {{detect_patterns: [{pattern}, a]}}}}"
    check_any_text(compile_source, f"policies: {{chain: [pii-detector]}}\n{policy}")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "a" * (MAX_BYTES + 1),
        "é" * MAX_BYTES,
        "[" * MAX_BYTES,
        "a: b\n" * 100_000,
        "".join(f"k{at}: 1\n" for at in range(60_000)),
        "providers: {targets: [{provider: {"
        + ", ".join(f"k{i}: 1" for i in range(50_000))
        + "}}]}",
        "policies: {chain: [" + "pii-detector, " * 50_000 + "]}",
    ],
    ids=[
        "long word",
        "long in bytes",
        "deep",
        "duplicates",
        "unknown keys",
        "lifted keys",
        "chain",
    ],
)
def test_a_huge_text_gives_bounded_diagnostics(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        compile_source(Source("kt.yaml", text))
    assert len(raised.value.report.errors) <= 1000
    assert len(raised.value.report.show()) < 20_000


def test_the_law_of_any_text_finds_a_compiler_that_raises() -> None:
    def planted(source: Source) -> Compiled:
        if "\t" in source.text:
            raise IndexError
        return compile_source(source)

    with pytest.raises(IndexError):
        check_any_text(planted, "\ta: b")


def test_the_law_of_any_text_finds_a_span_outside_the_text() -> None:
    def planted(source: Source) -> Compiled:
        compiled = compile_source(source)
        compiled.report.add("no_unit", Span(0, len(source.text) + 1), reading="seconds")
        return compiled

    with pytest.raises(AssertionError):
        check_any_text(planted, "gateway: {}")


def broken_spans(node: Node, text: str) -> Iterator[str]:
    """Every node whose span is not in its parent's, or not where its text stands."""
    children: tuple[Node, ...] = ()
    if isinstance(node, Seq):
        children = node.items
    if isinstance(node, Map):
        children = tuple(part for entry in node.entries for part in (entry.key, entry.value))
    for child in children:
        if not node.span.start <= child.span.start <= child.span.end <= node.span.end:
            yield f"{child} leaves its parent"
        yield from broken_spans(child, text)
    is_escaped = "\\" in text[node.span.start : node.span.end]
    if isinstance(node, Scalar) and places_of(text, node) is None and not is_escaped:
        yield f"{node} does not stand there"


@given(st.one_of(configs().map(to_block), configs().map(to_flow), broken_texts(), texts()))
def test_every_span_lies_in_its_parents_and_on_its_text(text: str) -> None:
    source = Source("kt.yaml", text.removeprefix("\ufeff"))
    tree = read(source, Report(source))
    if tree is not None:
        assert list(broken_spans(tree, source.text)) == []
        assert all(node.span.end <= len(source.text) for node in nodes(tree))


@pytest.mark.parametrize(
    "planted",
    [
        Map((Entry(Scalar("a", Span(0, 1), "a"), Scalar(1, Span(4, 5), "1")),), Span(0, 5)),
        Map((Entry(Scalar("a", Span(0, 1), "a"), Scalar(1, Span(3, 4), "1")),), Span(1, 4)),
    ],
    ids=["off by one", "child outside"],
)
def test_the_law_of_spans_finds_a_wrong_span(planted: Map) -> None:
    assert list(broken_spans(planted, "a: 1"))


def digest_of(text: str) -> str:
    """The digest that a text compiles to."""
    return compile_source(Source("kt.yaml", text)).plan.digest


@given(configs().flatmap(lambda data: st.tuples(st.just(data), permuted(data))))
def test_the_order_of_keys_changes_nothing(pair: tuple[Data, Any]) -> None:
    data, other = pair
    assert digest_of(to_block(data)) == digest_of(to_block(other)) == digest_of(to_flow(other))


def test_the_law_of_order_finds_a_digest_that_covers_positions() -> None:
    def planted(text: str) -> bytes:
        return canonical_json(compile_source(Source("kt.yaml", text)).plan)

    one = "gateway: {listen_port: 1, timeouts: {connect: 1s}}"
    two = "gateway: {timeouts: {connect: 1s}, listen_port: 1}"
    assert planted(one) != planted(two)
    assert digest_of(one) == digest_of(two)


def same_bytes(document: Callable[[], bytes]) -> bool:
    """Whether making a document twice gives the same bytes."""
    return document() == document()


@given(configs().map(to_block))
def test_the_same_text_gives_the_same_bytes(text: str) -> None:
    assert same_bytes(lambda: write_plan(compile_source(Source("kt.yaml", text)).plan))


def test_the_law_of_bytes_finds_a_counter_in_the_document() -> None:
    counter = itertools.count()
    plan = compile_source(Source("kt.yaml", WHOLE)).plan
    assert not same_bytes(lambda: write_plan(plan) + str(next(counter)).encode())
