"""The kinds at work: from a configuration to what a client gets, whole and streamed."""

import httpx
import orjson
import pytest

from kt.compiler import Settings, Upstream, compile_source
from kt.source import Source
from tests.support.asgi import Response
from tests.support.gateways import chat, error_of, gateway, run_in_virtual_time, streamed_text
from tests.support.upstreams import (
    Body,
    FakeProvider,
    completion,
    json_answer,
    stream_answer,
    streamed,
)

DLP = """\
policies: {chain: [dlp-filter]}
policy:
  dlp-filter:
    blocked_terms: [Project Falcon]
    patterns: [{name: badge, regex: 'EMP-[0-9]{4,8}'}]
    fuzzy_matching: true
    sensitivity_level: high
"""
SAFETY = """\
policies: {chain: [safety-filter]}
policy: {safety-filter: {block_if: [pull the plug]}}
"""
IDLE = "policies: {chain: [rbac, quality-scorer, tool-budget, gdpr-compliance]}\n"
LISTED = """\
policies:
  - name: content-filter
    type: output_filter
    parallel_group: output-checks
    action: block
  - name: pii-redaction
    type: output_filter
    parallel_group: output-checks
    action: redact
"""


def asked(config: str, text: str, reply: str, *, stream: bool = False) -> tuple[Response, str]:
    """What a client gets for a text, and what the provider saw."""
    settings = Settings(upstreams=(Upstream("http://127.0.0.1:9"),))
    plan = compile_source(Source("kt.yaml", config), settings).plan
    results: list[Response] = []

    def answer(_: httpx.Request) -> httpx.Response:
        return stream_answer(Body([streamed(reply)])) if stream else json_answer(completion(reply))

    provider = FakeProvider(answer)

    async def main() -> None:
        async with gateway(plan, provider) as app:
            results.append(await chat(app, text, stream=stream))

    run_in_virtual_time(main)
    return results[0], "".join(provider.texts())


def content(response: Response) -> str:
    """The text of an answer that is not streamed."""
    said: str = orjson.loads(response.body)["choices"][0]["message"]["content"]
    return said


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("about projekt  falcon.", "about [DLP]."),
        ("badge EMP-123456, please", "badge [BADGE], please"),
        ("TOP SECRET//NOFORN stays", "[CLASSIFICATION] stays"),
        ("a project about falcons", "a project about falcons"),
    ],
)
def test_dlp_redacts_requests_and_answers_and_streams_the_same(text: str, left: str) -> None:
    response, seen = asked(DLP, text, text)
    assert content(response) == left
    assert left in seen
    response, _ = asked(DLP, "hello", text, stream=True)
    assert streamed_text(response.body) == left


def test_safety_blocks_a_request_before_anybody_is_asked() -> None:
    response, seen = asked(SAFETY, "Now PULL  the plug", "never said")
    assert (response.status, seen) == (409, "")
    error = orjson.loads(response.body)["error"]
    assert (error["code"], error["policy"]) == ("input_blocked", "safety-filter")
    assert "plug" not in error["message"]


def test_safety_lets_an_answer_pass_unless_its_stage_says_otherwise() -> None:
    response, _ = asked(SAFETY, "hello", "pull the plug")
    assert content(response) == "pull the plug"
    staged = SAFETY.replace("[safety-filter]", "[safety-filter: {stage: pre-response}]")
    response, _ = asked(staged, "hello", "Well: pull the plug now", stream=True)
    assert error_of(response.body)["code"] == "output_blocked"
    assert "plug" not in streamed_text(response.body.rpartition(b"data: ")[0])


def test_a_published_list_of_a_content_filter_and_a_redaction_runs() -> None:
    response, _ = asked(LISTED, "disable the emergency shutdown", "write to ann@example.com")
    assert content(response) == "write to [EMAIL]"
    response, _ = asked(LISTED, "hello", "Just disable the emergency shutdown, ann@example.com")
    assert response.status == 409
    assert orjson.loads(response.body)["error"]["policy"] == "content-filter"


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_not_enforced_changes_nothing(stream: bool) -> None:
    text = "insider information, ann@example.com"
    response, seen = asked(IDLE, text, text, stream=stream)
    assert text in seen
    said = streamed_text(response.body) if stream else content(response)
    assert said == text
