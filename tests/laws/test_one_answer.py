"""The law of one answer: whatever a provider and a client do and whenever, exactly one answer.

For every provider's behavior, moment of the client's leaving and plan, in virtual time: one head at
most and nothing before it, one end unless the client left, one error frame at most and nothing
after it; one event; slots, queue places and buffered bytes are given back; every answer of a
provider is closed.
"""

import json
import math
import tempfile
from pathlib import Path

import attrs
import httpx
import orjson
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from kt.plan import Plan
from kt.policy import Action, Phase
from kt.runtime.admission import Gate
from kt.runtime.app import App
from kt.runtime.reply import Reply
from kt.transport.httpx_client import HttpxReply
from tests.support.asgi import Message, asgi_request
from tests.support.gateways import chat_body, gateway, run_in_virtual_time
from tests.support.plans import plan, record_step, scan_step
from tests.support.upstreams import Body, FakeProvider, chunk, completion, cut, streamed

PATH = "/v1/chat/completions"
STEPS = (
    scan_step("mail", r"[a-z]+@[a-z]+\.com", order=1),
    scan_step("stop", "secret", action=Action.BLOCK, order=2),
    scan_step("ask", "forbidden", action=Action.BLOCK, phase=Phase.INPUT, order=3),
    record_step(),
)
WIRES = (
    streamed(["hi ", "there"]),
    streamed(["mail ann@", "acme.com now"]),
    streamed(["this is se", "cret"]),
    chunk({"content": "hi "}) + b"data: {\n\n",
    chunk({"content": "hi "}) + b'data: {"error": {"message": "no"}}\n\n',
    chunk({"content": "a"}, finish="stop") + chunk({"content": "b"}),
    orjson.dumps(completion("hi")),
    orjson.dumps(completion("a secret")),
    b"",
    b"{",
)


@attrs.frozen(kw_only=True)
class Fate:
    """What provider and client do."""

    wire: bytes
    is_stream: bool
    """What the provider says its answer is."""
    asks_stream: bool
    status: int
    places: tuple[int, ...]
    """Where the provider's bytes are cut into pieces."""
    pause: float
    is_cut: bool
    stalls: bool
    encoding: str
    refuses: bool
    connect: float
    head: float
    text: str
    leaves: float
    """When the client leaves; infinity for a client that stays."""
    reads: int
    """How many messages the client takes before it stops reading."""
    clients: int


PAUSES = st.sampled_from([0.0, 0.0, 0.4, 3.0])
FATES = st.builds(
    Fate,
    wire=st.sampled_from(WIRES),
    is_stream=st.booleans(),
    asks_stream=st.booleans(),
    status=st.sampled_from([200, 200, 200, 200, 302, 401, 429, 500]),
    places=st.lists(st.integers(0, 600), max_size=6).map(tuple),
    pause=PAUSES,
    is_cut=st.booleans(),
    stalls=st.sampled_from([False, False, True]),
    encoding=st.sampled_from(["identity", "identity", "gzip"]),
    refuses=st.sampled_from([False, False, False, True]),
    connect=PAUSES,
    head=PAUSES,
    text=st.sampled_from(["hello", "hello", "forbidden"]),
    leaves=st.sampled_from([math.inf, math.inf, 0.0, 0.2, 0.4, 1.0, 3.3, 6.0]),
    reads=st.sampled_from([99, 99, 0, 1, 2]),
    clients=st.integers(1, 3),
)


@attrs.define
class Outcome:
    """What came of it."""

    answers: list[list[Message]] = attrs.field(factory=list)
    bodies: list[Body] = attrs.field(factory=list)
    events: list[dict[str, object]] = attrs.field(factory=list)
    left_over: tuple[int, int, int] = (0, 0, 0)


def provider_of(fate: Fate) -> FakeProvider:
    """The provider of a fate."""

    def answer(request: httpx.Request) -> httpx.Response:
        kind = "text/event-stream" if fate.is_stream else "application/json"
        body = Body(cut(fate.wire, fate.places), fate.pause, is_cut=fate.is_cut, stalls=fate.stalls)
        headers = {"content-type": kind, "content-encoding": fate.encoding}
        return httpx.Response(fate.status, headers=headers, stream=body)

    return FakeProvider(
        answer, connect_seconds=fate.connect, refuses=fate.refuses, head_seconds=fate.head
    )


def short_plan() -> Plan:
    """Deadlines that pass while others do; fewer slots than clients."""
    return plan(
        *STEPS, max_concurrent=1, max_queue=1, queue=5, connect=2, first_byte=2.5, inter_chunk=2,
        request=8,
    )  # fmt: skip


def play(fate: Fate) -> Outcome:
    """Let it happen."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "audit.jsonl"

        async def main() -> None:
            provider = provider_of(fate)
            async with gateway(short_plan(), provider, path) as app:
                async with trio.open_nursery() as nursery:
                    for _ in range(fate.clients):
                        outcome.answers.append([])
                        nursery.start_soon(_client, app, fate, outcome.answers[-1])
                gate = app.endpoints.gate
                outcome.left_over = (gate.running, gate.waiting, gate._buffered)
            outcome.bodies = provider.bodies

        run_in_virtual_time(main)
        outcome.events = [json.loads(line) for line in path.read_text().splitlines()]
    return outcome


async def _client(app: App, fate: Fate, messages: list[Message]) -> None:
    body = chat_body(fate.text, stream=fate.asks_stream)
    async with asgi_request(app, "POST", PATH, body_chunks=cut(body, [20])) as exchange:
        with trio.move_on_after(fate.leaves):
            try:
                while len(messages) < fate.reads:
                    messages.append(await exchange.receive_message())
                await trio.sleep(60)  # a client that does not read any more, until it leaves
            except trio.EndOfChannel:
                pass


def check_law(fate: Fate, outcome: Outcome) -> None:
    """Hold what came of it against the law."""
    for messages in outcome.answers:
        check_answer(messages, stays=fate.leaves == math.inf and fate.reads == 99)
    assert outcome.left_over == (0, 0, 0)
    assert all(body.is_closed for body in outcome.bodies)
    assert len(outcome.events) == fate.clients


def check_answer(messages: list[Message], *, stays: bool) -> None:
    """One head first, one end last, nothing after an error frame."""
    kinds = [message.type for message in messages]
    assert kinds.count("http.response.start") <= 1
    assert kinds[:1] in ([], ["http.response.start"])
    assert not any(message.is_last for message in messages[:-1])
    if stays:
        assert messages
        assert messages[-1].is_last
    body = b"".join(message.body for message in messages)
    ends = [at for at, frame in enumerate(body.split(b"\n\n")) if b'"error"' in frame]
    if kinds and b"text/event-stream" in dict(messages[0].data["headers"])[b"content-type"]:
        assert ends in ([], [body.count(b"\n\n") - 1])
        assert not (ends and b"[DONE]" in body)


@given(FATES)
def test_whatever_happens_there_is_one_answer(fate: Fate) -> None:
    check_law(fate, play(fate))


GOOD = Fate(
    wire=streamed(["hi ", "there"]),
    is_stream=True,
    asks_stream=True,
    status=200,
    places=(),
    pause=0.0,
    is_cut=False,
    stalls=False,
    encoding="identity",
    refuses=False,
    connect=0.0,
    head=0.0,
    text="hello",
    leaves=math.inf,
    reads=99,
    clients=1,
)


def test_a_good_exchange_keeps_the_law() -> None:
    check_law(GOOD, play(GOOD))


def test_an_answer_that_nobody_reads_may_break_when_it_is_closed() -> None:
    fate = attrs.evolve(GOOD, status=401, is_cut=True, wire=b"")
    outcome = play(fate)
    check_law(fate, outcome)
    assert outcome.events[0]["reason_code"] == "upstream_auth"


# ---- The law finds planted bugs


def test_the_law_finds_an_answer_that_is_ended_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    async def end(self: Reply) -> None:
        await self._body(b"", more=True)
        self.ended = False

    monkeypatch.setattr(Reply, "end", end)
    with pytest.raises(AssertionError):
        check_law(GOOD, play(GOOD))


def test_the_law_finds_an_error_frame_after_the_end_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    async def end(self: Reply) -> None:
        await self._body(b'data: {"error": {}}\n\n', more=False)

    monkeypatch.setattr(Reply, "end", end)
    with pytest.raises(AssertionError):
        check_law(GOOD, play(GOOD))


def test_the_law_finds_a_slot_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gate, "_grow", lambda self, size: setattr(self, "_buffered", size + 1))
    with pytest.raises(AssertionError):
        check_law(GOOD, play(GOOD))


def test_the_law_finds_an_answer_that_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    async def aclose(self: HttpxReply) -> None:
        """Forget to unwind the body, and the response with it."""

    monkeypatch.setattr(HttpxReply, "aclose", aclose)
    refused = attrs.evolve(GOOD, status=500)
    with pytest.raises(AssertionError):
        check_law(refused, play(refused))


def test_the_law_finds_a_second_event(monkeypatch: pytest.MonkeyPatch) -> None:
    write_down = App._write_down

    def twice(self: App, ledger: object) -> None:
        write_down(self, ledger)  # type: ignore[arg-type]
        write_down(self, ledger)  # type: ignore[arg-type]

    monkeypatch.setattr(App, "_write_down", twice)
    with pytest.raises(AssertionError):
        check_law(GOOD, play(GOOD))
