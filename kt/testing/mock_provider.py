"""A provider of every wire format as an ASGI app: answers as told and remembers what reached it.

In: `POST` to the paths of SHAPES, `GET /v1/models`. Out: answers; `requests` and `counts`. Never: a
clock or network of its own, a memory that grows with the number of requests.
"""

import json
import random
from collections import deque
from enum import Enum

import attrs
import trio

from kt.runtime.inbox import Message, Receive, Send
from kt.testing.behavior import MockSettings, UnknownBehavior, choose
from kt.testing.scripts import (
    Headers,
    Script,
    answer_script,
    error_script,
    models_script,
)
from kt.testing.shapes import SHAPES, Shape

BODY_LIMIT = 64 * 2**20
"""The most bytes of a request that are read."""


class Ended(Enum):
    """How an exchange ended, seen from the provider."""

    OPEN = "open"
    """Not yet."""
    COMPLETE = "complete"
    CUT = "cut"
    """The provider ended it in the middle, as it was told to."""
    CLIENT_LEFT = "client_left"


@attrs.frozen
class Received:
    """One request that reached the provider."""

    number: int
    """Counted from one."""
    method: str
    path: str
    headers: Headers
    body: bytes = attrs.field(repr=False)
    ended: Ended = Ended.OPEN


@attrs.frozen(kw_only=True)
class Counts:
    """How many exchanges there were and what became of them."""

    requests: int
    open: int
    complete: int
    cut: int
    closed_early: int


class MockProvider:
    """The ASGI app. One instance is one provider with its own memory."""

    def __init__(self, settings: MockSettings | None = None) -> None:
        self.settings = settings or MockSettings()
        # Failures must be repeatable, not hard to guess.
        self._random = random.Random(self.settings.seed)  # noqa: S311
        self._received: deque[Received] = deque(maxlen=self.settings.keep)
        self._endings = dict.fromkeys(Ended, 0)
        self._number = 0
        self._quiet = trio.Event()

    async def until_idle(self) -> None:
        """Wait until no exchange is open."""
        while self._endings[Ended.OPEN]:
            await self._quiet.wait()

    @property
    def requests(self) -> tuple[Received, ...]:
        """What was received, in order: the last `keep` of it."""
        return tuple(self._received)

    @property
    def counts(self) -> Counts:
        """The numbers over all requests."""
        return Counts(
            requests=self._number,
            open=self._endings[Ended.OPEN],
            complete=self._endings[Ended.COMPLETE],
            cut=self._endings[Ended.CUT],
            closed_early=self._endings[Ended.CLIENT_LEFT],
        )

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or notice that its client left."""
        if scope["type"] != "http":
            return
        body = await _read(receive)
        if body is None:
            return  # it never became a request
        self._number += 1
        received = Received(self._number, scope["method"], scope["path"], _headers(scope), body)
        self._note(received)
        ended = Ended.CLIENT_LEFT
        try:
            ended = await _play(self._script(received), receive, send)
        finally:
            self._settle(received, ended)

    def _note(self, received: Received) -> None:
        self._received.append(received)
        self._endings[received.ended] += 1

    def _settle(self, received: Received, ended: Ended) -> None:
        self._endings[received.ended] -= 1
        self._endings[ended] += 1
        if not self._endings[Ended.OPEN]:
            self._quiet.set()
            self._quiet = trio.Event()
        with_end = attrs.evolve(received, ended=ended)
        oldest = self._number - len(self._received) + 1
        if received.number >= oldest:
            self._received[received.number - oldest] = with_end

    def _script(self, received: Received) -> Script:
        shape = SHAPES.get(received.path)
        if received.method == "POST" and shape is not None:
            return self._answer(shape, received)
        if (received.method, received.path) == ("GET", "/v1/models"):
            return models_script()
        return error_script(404, "there is nothing here")

    def _answer(self, shape: Shape, received: Received) -> Script:
        if self._random.random() < self.settings.fail_rate:
            return error_script(500, "made to fail", "server_error")
        try:
            behavior = choose(self.settings, _model(received.body), received.headers)
        except UnknownBehavior as error:
            return error_script(400, str(error))
        number, body, headers = received.number, received.body, received.headers
        return answer_script(shape, number, body, headers, behavior, self.settings)


def _headers(scope: Message) -> Headers:
    pairs = scope["headers"]
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs)


def _model(body: bytes) -> str:
    """The model that a body names; nothing where the body is none."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    model = request.get("model") if isinstance(request, dict) else None
    return model if isinstance(model, str) else ""


async def _read(receive: Receive) -> bytes | None:
    """The whole body, its tail dropped past the limit; None if the client left before its end."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")[: BODY_LIMIT - len(body)]
        if not message.get("more_body", False):
            return bytes(body)


async def _play(script: Script, receive: Receive, send: Send) -> Ended:
    """Send an answer until it ends or its client leaves."""
    ended = Ended.CLIENT_LEFT
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_when_left, receive, nursery.cancel_scope)
        await _send(script, send)
        ended = Ended.CUT if script.is_cut else Ended.COMPLETE
        nursery.cancel_scope.cancel()
    return ended


async def _cancel_when_left(receive: Receive, scope: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _send(script: Script, send: Send) -> None:
    """The head goes with the first bytes, so that a pause before them is one before the head."""
    start = {
        "type": "http.response.start",
        "status": script.status,
        "headers": [(name.encode(), value.encode()) for name, value in script.headers],
    }
    is_begun = False
    for step in script.steps:
        await trio.sleep(step.pause)
        if not is_begun:
            await send(start)
            is_begun = True
        if step.data:
            await send({"type": "http.response.body", "body": step.data, "more_body": True})
    if not script.is_cut:
        await send({"type": "http.response.body", "body": b"", "more_body": False})
