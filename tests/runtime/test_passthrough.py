"""Paths that go on unread: which they are, what a provider sees of them, how they end."""

from pathlib import Path

import attrs
import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.exchange import JUDGED
from kt.plan import Plan
from kt.policy import Action, Phase
from kt.runtime.app import App
from kt.runtime.passthrough import Passthrough, _compiled
from tests.support.asgi import ask
from tests.support.gateways import error_of, frames, gateway, run_in_virtual_time
from tests.support.plans import plan, record_step, scan_step
from tests.support.upstreams import Body, FakeProvider, json_answer, stream_answer

BLOCK = scan_step("mail", r"[a-z]+@[a-z]+\.com", action=Action.BLOCK, phase=Phase.INPUT)


def open_plan(*patterns: str) -> Plan:
    return attrs.evolve(plan(BLOCK, record_step()), passthrough=patterns)


def covers(path: str, *patterns: str) -> bool:
    made = tuple(map(_compiled, patterns))
    # Only the patterns decide; nothing is asked of the others here.
    return Passthrough(plan=plan(), gate=None, upstreams=(), patterns=made).covers(path)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "patterns"),
    [
        ("/v1/moderations", ["/v1/moderations"]),
        ("/v1/responses/resp_1", ["/v1/responses/*"]),
        ("/v1/responses/resp_1/input_items", ["/v1/responses/*"]),
        ("/v1/threads/t_1/messages", ["/v1/audio", "/v1/threads/*/messages"]),
        ("/v1/models/ft:gpt@me~1", ["/v1/*"]),
    ],
)
def test_a_pattern_covers_its_paths(path: str, patterns: list[str]) -> None:
    assert covers(path, *patterns)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions",
        "/v1/Chat/Completions",
        "/v1/chat/completions/",
        "/v1//chat/completions",
        "/v1/x/../chat/completions",
        "/v1/./chat/completions",
        "/v1/chat%2fcompletions",
        "/v1/chat\\completions",
        "/v1/a b",
        "/v1/é",
        "/v1/",
        "/v1",
        "/v2/files",
        "/keeptrusts/config",
        "/v1/files\n",
    ],
)
def test_no_pattern_covers_a_judged_path_or_one_that_is_read_in_two_ways(path: str) -> None:
    assert not covers(path, "/v1/*")


@given(st.text("/.v1chatompleinsCHAT%\\*", max_size=30), st.sampled_from([*JUDGED]))
def test_however_it_is_spelled_a_judged_path_is_never_covered(tail: str, judged: str) -> None:
    for path in (judged + tail, "/v1" + tail + judged.removeprefix("/v1"), judged.swapcase()):
        if covers(path, "/v1/*"):
            assert path.casefold() not in JUDGED
            assert not {"", ".", ".."} & set(path.split("/")[1:])


def test_a_star_inside_is_one_part_and_at_the_end_any_number() -> None:
    assert not covers("/v1/threads/a/b/messages", "/v1/threads/*/messages")
    assert not covers("/v1/responses", "/v1/responses/*")
    assert not covers("/v1/filesx", "/v1/files")
    assert not covers("/v1/files", "/v1/fil.s")


def exchange(
    provider: FakeProvider, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """One answer of a gateway that forwards files."""
    answers = []

    async def main() -> None:
        async with gateway(open_plan("/v1/files/*", "/v1/models"), provider) as app:
            pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
            answers.append(await ask(app, method, path, pairs, body))

    run_in_virtual_time(main)
    (answer,) = answers
    return answer.status, answer.headers, answer.body


def test_a_request_goes_on_as_it_came_but_for_keys() -> None:
    provider = FakeProvider(lambda _: json_answer({"id": "a@b.com"}, status=201))
    status, headers, body = exchange(
        provider,
        "DELETE",
        "/v1/files/f_1?after=a@b.com&limit=2",
        b"to ann@example.com",
        content_type="text/plain",
        authorization="Bearer mine",
        openai_beta="x=1",
        cookie="c",
    )
    (asked,) = provider.asked
    assert (status, body) == (201, b'{"id":"a@b.com"}')
    assert headers["content-type"] == "application/json"
    assert (asked.method, asked.content) == ("DELETE", b"to ann@example.com")
    assert asked.url.raw_path == b"/v1/files/f_1?after=a@b.com&limit=2"
    assert asked.headers["content-type"] == "text/plain"
    assert asked.headers["openai-beta"] == "x=1"
    assert not {"authorization", "cookie"} & set(asked.headers)


@pytest.mark.parametrize(
    ("answered", "status", "code"),
    [(500, 502, "upstream_5xx"), (302, 502, "upstream_5xx"), (401, 502, "upstream_auth")],
)
def test_a_providers_failure_has_its_code(answered: int, status: int, code: str) -> None:
    provider = FakeProvider(lambda _: json_answer({}, status=answered))
    found, _, body = exchange(provider, "GET", "/v1/files/f_1")
    assert (found, orjson.loads(body)["error"]["code"]) == (status, code)


def test_a_providers_refusal_is_passed_on() -> None:
    provider = FakeProvider(lambda _: json_answer({"error": "gone"}, status=404))
    assert exchange(provider, "GET", "/v1/files/f_1")[::2] == (404, b'{"error":"gone"}')


def test_a_stream_is_passed_on_and_a_cut_of_it_is_told() -> None:
    sent = b"id: 1\ndata: ann@example.com\n\n"
    provider = FakeProvider(lambda _: stream_answer(Body([sent])))
    assert exchange(provider, "GET", "/v1/files/f_1")[2] == sent
    provider = FakeProvider(lambda _: stream_answer(Body([b"data: a\n\n"], is_cut=True)))
    body = exchange(provider, "GET", "/v1/files/f_1")[2]
    assert (frames(body)[0], error_of(body)["code"]) == (b"a", "upstream_cut")


def test_what_cannot_be_reached_is_told_and_no_other_target_is_asked() -> None:
    provider = FakeProvider(lambda _: httpx.Response(200), refuses=True)
    status, _, body = exchange(provider, "GET", "/v1/files/f_1")
    assert (status, orjson.loads(body)["error"]["code"]) == (502, "connect_failed")


def test_other_paths_methods_and_queries_are_refused() -> None:
    provider = FakeProvider(lambda _: json_answer({}))
    assert exchange(provider, "GET", "/v1/file")[0] == 404
    assert exchange(provider, "BREW", "/v1/files/f_1")[0] == 405
    assert exchange(provider, "GET", "/v1/files/f_1?a=#b")[0] == 404
    assert exchange(provider, "GET", "/v1/models")[2].startswith(b'{"object":"list"')
    assert provider.asked == []


def test_the_bounds_hold_for_what_is_not_read() -> None:
    provider = FakeProvider(lambda _: json_answer({"text": "x" * 200}))
    closed = attrs.evolve(plan(request_body=100, response_body=100), passthrough=("/v1/files/*",))
    statuses: list[int] = []

    async def main() -> None:
        async with gateway(closed, provider) as app:
            statuses.append((await ask(app, "POST", "/v1/files/f_1", [], b"x" * 101)).status)
            statuses.append((await ask(app, "POST", "/v1/files/f_1")).status)
            assert app.endpoints.gate.running == 0

    run_in_virtual_time(main)
    assert statuses == [413, 502]


def test_the_event_says_that_nobody_read_it(tmp_path: Path) -> None:
    provider = FakeProvider(lambda _: json_answer({}))
    log = tmp_path / "audit.jsonl"

    async def main() -> None:
        async with gateway(open_plan("/v1/files/*"), provider, log) as app:
            await ask(app, "GET", "/v1/files/f_1")

    run_in_virtual_time(main)
    (event,) = map(orjson.loads, log.read_bytes().splitlines())
    assert (event["status"], event["reason_code"], event["policies"]) == (200, "passthrough", [])
    assert event["provider"] == "openai"


def test_without_patterns_nothing_is_forwarded() -> None:
    provider = FakeProvider(lambda _: json_answer({}))

    async def main() -> None:
        async with gateway(plan(), provider) as app:
            assert isinstance(app, App)
            assert (await ask(app, "GET", "/v1/files/f_1")).status == 404

    run_in_virtual_time(main)
    assert provider.asked == []
