"""One answer to one client, whatever is called in which order."""

from collections.abc import Awaitable, Callable

import orjson
import trio

from kt.errors import GatewayError
from kt.runtime.identity import Identity
from kt.runtime.inbox import Message
from kt.runtime.ledger import Ledger
from kt.runtime.reply import Reply

REFUSAL = GatewayError("queue_full", "full")


def play(act: Callable[[Reply], Awaitable[None]]) -> tuple[list[Message], Ledger]:
    """What is sent, and what is noted."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        await trio.lowlevel.checkpoint()
        sent.append(message)

    async def main() -> Ledger:
        ledger = Ledger(identity=Identity.of({}), digest="d", config_version="c@1")
        await act(Reply(send, ledger, server_timing=False))
        return ledger

    return sent, trio.run(main)


def kinds(sent: list[Message]) -> list[tuple[str, object]]:
    """The form of what was sent."""
    return [(one["type"].removeprefix("http.response."), one.get("more_body")) for one in sent]


def test_a_whole_answer_is_a_head_and_one_body() -> None:
    async def act(reply: Reply) -> None:
        await reply.whole(200, b"hi", b"text/plain", [(b"retry-after", b"1")])

    sent, ledger = play(act)
    assert kinds(sent) == [("start", None), ("body", False)]
    headers = dict(sent[0]["headers"])
    assert (headers[b"content-length"], headers[b"retry-after"]) == (b"2", b"1")
    assert ledger.status == 200


def test_a_stream_has_one_head_and_one_end() -> None:
    async def act(reply: Reply) -> None:
        await reply.stream(b"a")
        await reply.stream(b"b")
        await reply.end()

    sent, _ = play(act)
    assert kinds(sent) == [("start", None), ("body", True), ("body", True), ("body", False)]
    headers = dict(sent[0]["headers"])
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert headers[b"cache-control"] == b"no-cache"
    assert b"content-length" not in headers


def test_a_refusal_before_the_head_is_a_response() -> None:
    async def act(reply: Reply) -> None:
        await reply.refuse(REFUSAL)

    sent, ledger = play(act)
    assert (sent[0]["status"], orjson.loads(sent[1]["body"])) == (429, REFUSAL.body())
    assert (ledger.status, ledger.code) == (429, "queue_full")


def test_a_refusal_after_the_head_is_one_last_frame() -> None:
    async def act(reply: Reply) -> None:
        await reply.stream(b"a")
        await reply.refuse(REFUSAL)

    sent, ledger = play(act)
    assert kinds(sent)[-2:] == [("body", True), ("body", False)]
    assert sent[2]["body"] == b"data: " + orjson.dumps(REFUSAL.body()) + b"\n\n"
    assert (ledger.status, ledger.code) == (200, "queue_full")


def test_a_refusal_after_the_end_changes_nothing() -> None:
    async def act(reply: Reply) -> None:
        await reply.whole(200, b"hi")
        await reply.refuse(REFUSAL)

    sent, ledger = play(act)
    assert len(sent) == 2
    assert ledger.code is None


def test_a_deadline_does_not_stop_a_message_on_its_way() -> None:
    async def act(reply: Reply) -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            await reply.whole(200, b"hi")

    sent, _ = play(act)
    assert kinds(sent) == [("start", None), ("body", False)]
