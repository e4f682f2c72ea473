"""A scene: a whole gateway from a configuration text, what it is asked, and all that can be seen.

In: a text and a scene. Out: what clients get and when, what the provider gets and on which
connection, the audit log, metrics and pages, as one text. Never: sockets or waiting (the clock is
virtual), or what would differ between equal runs: ids, the time of day, the digest.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import orjson
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from kt.cli.gateway import signing_keys
from kt.cli.surroundings import read_secrets
from kt.compiler import Settings, compile_source
from kt.plan import Plan
from kt.policies import KINDS, PolicyKind
from kt.policy import Cost, Verdict
from kt.runtime.app import App
from kt.runtime.connecting import Network, warm_up
from kt.runtime.engine import BoundStep, Check
from kt.runtime.gateway import GatewayOptions, built
from kt.source import Source
from tests.support.asgi import Response, ask
from tests.support.gateways import chat_body
from tests.support.upstreams import completion, streamed

# Any: what is seen is JSON.


SERVICE = "moderation"
"""The host of the moderation service; every other one is a provider."""


@attrs.frozen(kw_only=True)
class Scene:
    """What is asked, and how the provider and the checks behave."""

    asks: tuple[str, ...] = ("hello",)
    """The texts of the requests, one after the other."""
    path: str = "/v1/chat/completions"
    at_once: int = 1
    """How many of each come at once."""
    gap: float = 0.0
    """Seconds between them."""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    more: Mapping[str, Any] = attrs.field(factory=dict)
    """Other keys of the body; `stream` makes it a stream."""
    says: tuple[str, ...] = ("All is well.",)
    """The pieces of the model's answer."""
    connect: float = 0.0
    """Seconds until there is a connection."""
    head: float = 0.0
    """Seconds from there to the head of the answer."""
    pause: float = 0.0
    """Seconds before each piece."""
    slow: Mapping[str, float] = attrs.field(factory=dict)
    """The same, more, for some hosts."""
    failing: Mapping[str, int] = attrs.field(factory=dict)
    """Hosts that answer with an error, and its status."""
    check: float = 0.0
    """Seconds that every check of a policy takes."""
    broken: bool = False
    """Every check raises."""
    service: Mapping[str, Any] = attrs.field(factory=dict)
    """What the moderation service at `SERVICE` answers, at once."""
    environment: Mapping[str, str] = attrs.field(factory=dict)
    kinds: Mapping[str, type[PolicyKind]] = KINDS

    def __call__(self, text: str, folder: Path) -> str:
        """What can be seen of it with a configuration."""
        return perform(text, self, folder)


@attrs.define
class World:
    """The network towards providers, in memory, and who asked there."""

    scene: Scene
    nursery: trio.Nursery
    connections: list[list[Any]] = attrs.field(factory=list)
    """What came on each."""
    is_over: bool = False

    async def dial(self, host: str, _port: int, _tls: object) -> trio.abc.Stream:
        """Open a connection to a provider."""
        await trio.sleep(self.scene.connect)
        ours, theirs = memory_stream_pair()
        seen = [host, _now()]
        if not self.is_over:
            self.connections.append(seen)
        self.nursery.start_soon(self._serve, host, theirs, seen)
        return ours

    async def _serve(self, host: str, stream: trio.abc.Stream, seen: list[Any]) -> None:
        buffered = bytearray()
        try:
            while (request := await _request(stream, buffered)) is not None:
                if not self.is_over:
                    seen.append({"at": _now(), **_shown(*request)})
                if host == SERVICE:
                    await _judge(stream, self.scene.service)
                    continue
                await trio.sleep(self.scene.head + self.scene.slow.get(host, 0))
                await self._answer(host, stream, is_stream=b'"stream":true' in request[1])
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            # The audit log writes in a thread, during which a clock that jumps may go anywhere.
            seen.append("closed at the end" if self.is_over else _now())

    async def _answer(self, host: str, stream: trio.abc.Stream, *, is_stream: bool) -> None:
        says = self.scene.says
        if not is_stream:
            says = (orjson.dumps(completion("".join(says))).decode(),)
        kind = "text/event-stream" if is_stream else "application/json"
        status = self.scene.failing.get(host, 200)
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        await stream.send_all(head.encode())
        pieces = _events(says) if is_stream else [one.encode() for one in says]
        for piece in pieces:
            await trio.sleep(self.scene.pause)
            await stream.send_all(b"%x\r\n%s\r\n" % (len(piece), piece))
        await stream.send_all(b"0\r\n\r\n")


async def _judge(stream: trio.abc.Stream, verdict: Mapping[str, Any]) -> None:
    await trio.sleep(verdict.get("after", 0))
    body = orjson.dumps(verdict)
    await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))


def _events(says: Sequence[str]) -> list[bytes]:
    return [event + b"\n\n" for event in streamed(says).split(b"\n\n") if event]


async def _request(stream: trio.abc.Stream, buffered: bytearray) -> tuple[bytes, bytes] | None:
    """The head and the body of the next request on a connection, None where it is closed."""
    size = None
    while size is None or len(buffered) < size:
        if size is None and (end := buffered.find(b"\r\n\r\n")) >= 0:
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", bytes(buffered[:end]))
            size = end + 4 + (int(length[1]) if length else 0)
            continue
        try:
            piece = await stream.receive_some(2**20)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return None
        if not piece:
            return None
        buffered += piece
    whole = bytes(buffered[:size])
    del buffered[:size]
    head, _, body = whole.partition(b"\r\n\r\n")
    return head, body


def _shown(head: bytes, body: bytes) -> dict[str, Any]:
    of_a_run = ("traceparent:", "x-request-id:")
    lines = [one for one in head.decode().split("\r\n") if not one.startswith(of_a_run)]
    # A signature holds the time of day.
    lines = [re.sub("(?<=signature: ).*", "some", one) for one in lines]
    return {"head": sorted(lines), "body": body.decode()[:2000]}


def perform(text: str, scene: Scene, folder: Path) -> str:
    """Everything that can be seen of a gateway with this configuration."""
    settings = Settings(environment=scene.environment)
    plan = compile_source(Source("kt.yaml", text), settings, scene.kinds).plan
    seen: list[Any] = []
    trio.run(_perform, plan, scene, folder, seen, clock=MockClock(autojump_threshold=0))
    return _same_every_time(orjson.dumps(seen, option=orjson.OPT_INDENT_2).decode(), plan)


async def _perform(plan: Plan, scene: Scene, folder: Path, seen: list[Any]) -> None:
    audit = folder / "audit.jsonl"
    async with trio.open_nursery() as nursery:
        world = World(scene, nursery)
        options = GatewayOptions(
            host="127.0.0.1",
            port=0,
            log=_no_bug_is_expected,
            audit_path=audit,
            gateway_id="test",
            secrets=read_secrets(plan.targets),
            signing_keys=signing_keys(plan),
            network=Network(dial=world.dial),
        )
        async with built(plan, options) as app:
            if plan.connecting.warm_up is not None:
                await warm_up(app.endpoints.upstreams, plan.connecting.warm_up, options.log)
            app.endpoints = attrs.evolve(
                app.endpoints,
                input=_behaving(app.endpoints.input, scene),
                output=_behaving(app.endpoints.output, scene),
            )
            await _ask(app, scene, seen)
            world.is_over = True
        await wait_all_tasks_blocked()  # every connection is seen to close
        nursery.cancel_scope.cancel()
    lines = audit.read_text().splitlines() if audit.exists() else []
    audit.unlink(missing_ok=True)
    # What happens at once happens in any order.
    seen += sorted(orjson.dumps(one).decode() for one in world.connections)
    seen += sorted(_timeless(orjson.loads(line)) for line in lines)


async def _ask(app: App, scene: Scene, seen: list[Any]) -> None:
    for text in scene.asks:
        async with trio.open_nursery() as nursery:
            for _ in range(scene.at_once):
                nursery.start_soon(_ask_one, app, scene, text, seen)
                await wait_all_tasks_blocked()
        await trio.sleep(scene.gap)
    seen.append(_answer(await ask(app, "GET", "/metrics"), "/metrics"))


async def _ask_one(app: App, scene: Scene, text: str, seen: list[Any]) -> None:
    headers = list(scene.headers.items())
    answer = await ask(app, "POST", scene.path, headers, chat_body(text, **scene.more))
    seen.append(_answer(answer, text))


def _answer(answer: Response, asked: str) -> dict[str, Any]:
    return {
        "asked": asked[:100],
        "status": answer.status,
        "headers": {name: one for name, one in answer.headers.items() if name != "content-length"},
        "pieces": [(one.time, one.body.decode()) for one in answer.messages],
        "is_complete": answer.is_complete,
    }


def _behaving(
    stages: tuple[tuple[BoundStep, ...], ...], scene: Scene
) -> tuple[tuple[BoundStep, ...], ...]:
    """The steps with checks that take as long, or fail, as the scene says."""
    if not scene.check and not scene.broken:
        return stages
    return tuple(
        tuple(
            attrs.evolve(one, check=partial(_check, one, one.check, scene), gate=None)
            for one in stage
        )
        for stage in stages
    )


def _check(one: BoundStep, check: Check, scene: Scene, *arguments: Any) -> Any:
    if scene.broken:
        raise ValueError
    if one.step.facts.cost is Cost.NETWORK:
        return _waited(check, scene, *arguments)
    clock = trio.lowlevel.current_clock()
    assert isinstance(clock, MockClock)
    clock.jump(scene.check)
    return check(*arguments)


async def _waited(check: Check, scene: Scene, *arguments: Any) -> Verdict:
    await trio.sleep(scene.check)
    answer = check(*arguments)
    assert isinstance(answer, Verdict)
    return answer


def _now() -> float:
    return round(trio.current_time(), 3)


def _no_bug_is_expected(line: str) -> None:
    raise AssertionError(line)


def _timeless(event: dict[str, Any]) -> str:
    of_a_run = ("id", "timestamp", "request_id", "plan")
    return orjson.dumps({name: one for name, one in event.items() if name not in of_a_run}).decode()


_OF_A_RUN = (
    re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
    re.compile(r"\breq_[0-9a-f]{24}"),
    re.compile(r"(?:process|python)_\w+(?:\{[^}]*\})? [0-9.e+-]+"),
    re.compile(r"\w+_created(?:\{[^}]*\})? [0-9.e+-]+"),
    re.compile(r"event_loop_lag\w*(?:\{[^}]*\})? [0-9.e+-]+"),
)


def _same_every_time(text: str, plan: Plan) -> str:
    text = (
        text.replace(plan.digest, "DIGEST").replace(plan.digest[:16], "DIGEST").replace('\\"', "'")
    )
    for pattern in _OF_A_RUN:
        text = pattern.sub("-", text)
    return text
