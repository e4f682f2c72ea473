"""What of `gateway.streaming` acts, and what its author is told."""

import pytest

from kt.compiler import compile_source
from kt.plan import Streaming
from kt.source import Source

SET = "chunk_buffer: 4KB, flush_interval: 100ms, max_duration: 2m"
OUTPUT = "policies: {chain: [pii-detector: {stage: post-response}]}\n"
INPUT = "policies: {chain: [pii-detector: {stage: pre-request}]}\n"


def compiled(text: str) -> tuple[Streaming, list[str]]:
    """The plan's part and the names of the warnings."""
    result = compile_source(Source("kt.yaml", text))
    return result.plan.streaming, [one.name for one in result.report.warnings]


def test_nothing_set_is_nothing() -> None:
    assert compiled(OUTPUT) == (Streaming(), [])


@pytest.mark.parametrize(("policies", "warned"), [(OUTPUT, ["flush_yields"]), (INPUT, [])])
def test_what_is_set_acts_and_safety_wins(policies: str, warned: list[str]) -> None:
    streaming, names = compiled(f"{policies}gateway: {{streaming: {{{SET}}}}}")
    assert names == warned
    assert streaming.gathered is not None
    assert streaming.flush is not None
    assert streaming.duration is not None
    values = (streaming.gathered.value, streaming.flush.seconds, streaming.duration.seconds)
    assert values == (4096, 0.1, 120.0)
    assert streaming.flush.origin.startswith("kt.yaml:2:")


def test_of_an_answer_that_is_sent_whole_nothing_of_it_acts() -> None:
    text = f"{OUTPUT}gateway: {{streaming: {{passthrough_chunked: false, {SET}}}}}"
    assert compiled(text) == (Streaming(), ["unused_block"] * 3)


def test_httpx_cannot_be_asked_again() -> None:
    text = "gateway: {streaming: {flush_interval: 1s}, upstream: {transport: httpx}}"
    assert compiled(text) == (Streaming(), ["not_enforced"])
