"""What judging one event of a streamed chat costs: CPU time, without sockets.

In: nothing. Out: microseconds per event, and how many sends 10,000 events take, for bytes that come
at once, a quantum at a time, and an event at a time. Never: the network.
"""

import sys
import time
from collections.abc import Iterator

import orjson
import trio

from kt.compiler import Settings, compile_source
from kt.runtime.engine import PolicyBudget
from kt.runtime.fused import StreamRules
from kt.runtime.relay import QUANTUM
from kt.runtime.stream import AnswerStream
from kt.source import Source
from kt.wire.chat import CHAT

EVENTS = 10_000
ROUNDS = 3
ROW = "{} policies  {:8} {:7.1f} us/event  {:6} sends\n"
KINDS = ("pii-detector", "prompt-injection", "safety-filter", "dlp-filter", "code-sanitation")
WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "rests")


def events() -> Iterator[bytes]:
    """A chat of words, as a provider streams it."""
    yield event({"role": "assistant", "content": ""})
    for at in range(EVENTS):
        yield event({"content": f"{WORDS[at % len(WORDS)]} "})
    yield event({}, "stop")
    yield b"data: [DONE]\n\n"


def event(delta: dict[str, str], finish: str | None = None) -> bytes:
    """One event."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    value = {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}
    return b"data: " + orjson.dumps(value) + b"\n\n"


def rules(count: int) -> StreamRules:
    """The rules of so many policies."""
    chain = ", ".join(f"{kind}: {{stage: post-response}}" for kind in KINDS[:count])
    text = f"policies: {{chain: [{chain}]}}\npolicy: {{dlp-filter: {{blocked_terms: [acme]}}}}\n"
    return StreamRules.of(compile_source(Source("bench.yaml", text), Settings()).plan.output)


def judged(found: StreamRules, pieces: list[bytes]) -> tuple[float, int]:
    """CPU seconds, and the sends, of one answer that comes like this."""
    form = CHAT.stream
    if form is None:
        raise RuntimeError("a chat streams")
    stream = AnswerStream(form, found, 65536, PolicyBudget(3600.0, trio.CapacityLimiter(1)))
    started = time.process_time()
    sends = sum(bool(b"".join(stream.feed(piece))) for piece in pieces)
    return time.process_time() - started, sends


async def main() -> None:
    """Measure, and print a table."""
    data = list(events())
    whole = b"".join(data)
    quanta = [whole[at : at + QUANTUM] for at in range(0, len(whole), QUANTUM)]
    for count in (0, 1, len(KINDS)):
        found = rules(count)
        found.warm()
        for name, pieces in (("at once", [whole]), ("quanta", quanta), ("events", data)):
            rounds = [judged(found, pieces) for _ in range(ROUNDS)]
            cost = min(seconds for seconds, _ in rounds) / EVENTS * 1e6
            sys.stdout.write(ROW.format(count, name, cost, rounds[0][1]))


trio.run(main)
