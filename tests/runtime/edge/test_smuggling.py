"""Requests that two readers would end in different places: each edge refuses and closes.

Every row is followed by a request for `/smuggled`, which nobody may ever answer.
"""

from functools import partial

import attrs
import pytest
import trio
from trio.testing import MockClock

from kt.plan import Edge
from kt.runtime.edge import request_parser
from kt.runtime.inbox import Message, Receive, Send
from kt.runtime.server import ServeSettings, serve
from tests.support.sockets import MemoryListener

POST = b"POST / HTTP/1.1\r\nhost: a\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"

CORPUS = {
    "CL.TE": POST + b"content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nG",
    "TE.CL": POST + b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n",
    "TE twice": POST + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "TE other": POST + b"transfer-encoding: chunked\r\ntransfer-encoding: x\r\n\r\n0\r\n\r\n",
    "TE gzip": POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "TE identity": POST + b"transfer-encoding: identity\r\n\r\n0\r\n\r\n",
    "TE prefixed": POST + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "TE quoted": POST + b'transfer-encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "TE vertical tab": POST + b"transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "TE space": POST + b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
    "TE folded": POST + b"transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "TE on 1.0": b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "CL twice": POST + b"content-length: 1\r\ncontent-length: 2\r\n\r\nx",
    "CL list": POST + b"content-length: 1, 2\r\n\r\nx",
    "CL plus": POST + b"content-length: +1\r\n\r\nx",
    "CL minus": POST + b"content-length: -1\r\n\r\nx",
    "CL hex": POST + b"content-length: 0x1\r\n\r\nx",
    "CL float": POST + b"content-length: 1.0\r\n\r\nx",
    "CL underscore": POST + b"content-length: 1_0\r\n\r\nx",
    "CL space inside": POST + b"content-length: 1 0\r\n\r\nx",
    "CL empty": POST + b"content-length:\r\n\r\nx",
    "CL overflow": POST + b"content-length: 18446744073709551617\r\n\r\nx",
    "CL space": POST + b"content-length : 1\r\n\r\nx",
    "fold": POST + b"x: y\r\n z\r\n\r\n",
    "fold first": b"GET / HTTP/1.1\r\n x: y\r\nhost: a\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nhost: a\n\n",
    "one bare line feed": b"GET / HTTP/1.1\r\nhost: a\nx: y\r\n\r\n",
    "bare line feed at the end": b"GET / HTTP/1.1\r\nhost: a\r\n\n",
    "bare carriage return": POST + b"x: y\rz\r\n\r\n",
    "NUL in a value": POST + b"x: y\0z\r\n\r\n",
    "NUL in a name": POST + b"x\0: y\r\n\r\n",
    "no name": POST + b": y\r\n\r\n",
    "no colon": POST + b"x\r\n\r\n",
    "two hosts": POST + b"host: b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "size overflow": CHUNKED + b"fffffffffffffffff\r\nx\r\n0\r\n\r\n",
    "size signed": CHUNKED + b"+1\r\nx\r\n0\r\n\r\n",
    "size prefixed": CHUNKED + b"0x1\r\nx\r\n0\r\n\r\n",
    "size empty": CHUNKED + b"\r\nx\r\n0\r\n\r\n",
    "size with line feed": CHUNKED + b"1\nx\r\n0\r\n\r\n",
    "chunk with line feed": CHUNKED + b"1\r\nx\n0\r\n\r\n",
    "chunk too long": CHUNKED + b"1\r\nxy\r\n0\r\n\r\n",
    "extension flood": CHUNKED + b"1;" + b"x" * 70_000 + b"\r\nx\r\n0\r\n\r\n",
    "trailer flood": CHUNKED + b"0\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
    "trailer with line feed": CHUNKED + b"0\r\nx: y\n\r\n",
    "trailer folded": CHUNKED + b"0\r\nx: y\r\n z\r\n\r\n",
    "junk after version": b"GET / HTTP/1.1 x\r\nhost: a\r\n\r\n",
    "three words more": b"GET / / HTTP/1.1\r\nhost: a\r\n\r\n",
    "tab in line": b"GET\t/ HTTP/1.1\r\nhost: a\r\n\r\n",
    "no version": b"GET /\r\nhost: a\r\n\r\n",
    "version 1.2": b"GET / HTTP/1.2\r\nhost: a\r\n\r\n",
    "another protocol": b"GET / HTTPS/1.1\r\nhost: a\r\n\r\n",
    "NUL in target": b"GET /\0 HTTP/1.1\r\nhost: a\r\n\r\n",
    "tunnel": b"CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n",
}


BOUNDED = frozenset({"size overflow", "extension flood", "trailer flood"})
"""What h11 reads, or waits for, as it is meant: no smuggling, and bounded by each read."""

CASES = [
    *((name, Edge.LLHTTP) for name in CORPUS),
    *((name, Edge.HYPERCORN) for name in CORPUS if name not in BOUNDED),
]


async def careless(scope: Message, receive: Receive, send: Send) -> None:
    """Read what there is and say yes."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message["more_body"]
    length = (b"content-length", str(len(scope["path"])).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


async def heard(edge: Edge, data: bytes) -> bytes:
    """All that comes back until the server closes, which it must within the keep-alive."""
    listener = MemoryListener()
    settings = attrs.evolve(ServeSettings(), edge=edge)
    async with trio.open_nursery() as nursery:
        run = partial(serve, careless, [listener], settings=settings, log=print)
        nursery.start_soon(partial(run, drain=trio.Event()))
        client = await listener.connect()
        await client.send(data)
        with trio.fail_after(settings.linger + 1):
            answer = await client.receive_rest()
        nursery.cancel_scope.cancel()
    return answer


@pytest.mark.parametrize(("name", "edge"), CASES)
def test_it_is_refused_and_the_connection_closed(name: str, edge: Edge) -> None:
    answer = trio.run(heard, edge, CORPUS[name] + SMUGGLED, clock=MockClock(autojump_threshold=0))
    assert b" 200 " not in answer
    assert b"smuggled" not in answer


@pytest.mark.parametrize("edge", Edge, ids=lambda edge: edge.value)
def test_without_a_trick_both_requests_are_answered(edge: Edge) -> None:
    fine = CHUNKED + b"1;x=y\r\nx\r\n0\r\nx: y\r\n\r\n"
    last = SMUGGLED.replace(b"host: a\r\n", b"host: a\r\nconnection: close\r\n")
    answer = trio.run(heard, edge, fine + last, clock=MockClock(autojump_threshold=0))
    assert answer.count(b" 200 ") == 2


def test_the_corpus_finds_an_edge_that_looks_away(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = request_parser._FRAMING - {b"transfer-encoding"}
    monkeypatch.setattr(request_parser, "_FRAMING", seen)
    with pytest.raises(AssertionError):
        test_it_is_refused_and_the_connection_closed("TE on 1.0", Edge.LLHTTP)
