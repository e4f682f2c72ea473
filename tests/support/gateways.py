"""A gateway without sockets: a plan, a fake provider, and the app between them."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import orjson
import trio
from trio.testing import MockClock

from kt.plan import Plan
from kt.runtime.app import App
from kt.runtime.connecting import Network
from kt.runtime.gateway import GatewayOptions, built
from tests.support.asgi import Response, ask
from tests.support.formats import Spoken


def run_in_virtual_time(main: Callable[[], Awaitable[None]]) -> None:
    """Run an async test whose waits cost nothing."""
    trio.run(main, clock=MockClock(autojump_threshold=0))


def _no_bug_is_expected(line: str) -> None:
    raise AssertionError(line)


@asynccontextmanager
async def gateway(
    plan: Plan, transport: httpx.AsyncBaseTransport, audit_path: Path | None = None
) -> AsyncIterator[App]:
    """The app of a plan in front of a fake provider."""
    options = GatewayOptions(
        host="127.0.0.1",
        port=0,
        log=_no_bug_is_expected,
        audit_path=audit_path or Path(os.devnull),
        gateway_id="test",
        secrets={},
        network=Network(transport=transport),
    )
    async with built(plan, options) as app:
        yield app


def chat_body(text: str, **more: object) -> bytes:
    """A chat request with one user message."""
    return orjson.dumps({"model": "m", "messages": [{"role": "user", "content": text}], **more})


async def chat(
    app: App, text: str, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    """Send a chat request and collect the answer."""
    pairs = list((headers or {}).items())
    return await ask(app, "POST", "/v1/chat/completions", pairs, chat_body(text, **more))


async def say(
    app: App, spoken: Spoken, text: str, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    """Send a request of any format and collect the answer."""
    body = orjson.dumps({"model": "m", **spoken.ask(text), **more})
    return await ask(app, "POST", spoken.format.path, list((headers or {}).items()), body)


def frames(body: bytes) -> list[bytes]:
    """The data of each event in a stream that we sent."""
    assert body.endswith(b"\n\n") or not body
    lines = (line for event in body.split(b"\n\n") for line in event.split(b"\n"))
    return [line[6:] for line in lines if line.startswith(b"data: ")]


def streamed_text(body: bytes, choice: int = 0) -> str:
    """The concatenated content of one choice."""
    values = [orjson.loads(frame) for frame in frames(body) if frame != b"[DONE]"]
    return "".join(
        one["delta"].get("content") or ""
        for value in values
        for one in value.get("choices", ())
        if one["index"] == choice
    )


def text_of_stream(spoken: Spoken, body: bytes) -> str:
    """What a client of a format puts together from a stream."""
    values = [orjson.loads(frame) for frame in frames(body) if frame != b"[DONE]"]
    return "".join(spoken.read_event(value) for value in values if "error" not in value)


def error_of(body: bytes) -> dict[str, object]:
    """The error in the last frame of a stream. Fails where there is none."""
    error: dict[str, object] = orjson.loads(frames(body)[-1])["error"]
    return error
