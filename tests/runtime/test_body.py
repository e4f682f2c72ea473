"""Bodies are read piece by piece and refused as soon as that is known."""

from collections.abc import Iterable

import pytest
import trio

from kt.errors import GatewayError
from kt.runtime.body import ClientLeft, read_body


def read(
    pieces: Iterable[bytes | None], limit: int = 10, **headers: str
) -> tuple[bytes, list[int]]:
    """The body of these pieces (None: the client leaves) and what was accounted for."""
    waiting, grown = list(pieces), list[int]()

    async def receive() -> dict[str, object]:
        piece = waiting.pop(0)
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    pairs = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return trio.run(read_body, receive, pairs, limit, grown.append), grown


def refusal_of(pieces: Iterable[bytes | None], **headers: str) -> str:
    """The code of a refused body."""
    with pytest.raises(GatewayError) as refusal:
        read(pieces, 10, **headers)
    return refusal.value.code


def test_pieces_are_joined_and_accounted_for() -> None:
    assert read([b"abc", b"", b"de"]) == (b"abcde", [3, 0, 2])
    assert read([b""]) == (b"", [0])


def test_a_body_may_be_as_large_as_the_limit_and_no_larger() -> None:
    assert read([b"12345", b"67890"])[0] == b"1234567890"
    assert refusal_of([b"12345", b"678901"]) == "body_too_large"


@pytest.mark.parametrize("length", ["11", "9" * 30])
def test_a_head_that_announces_too_much_is_refused_before_anything_is_read(length: str) -> None:
    assert refusal_of([], content_length=length) == "body_too_large"


def test_a_length_that_is_none_is_left_to_the_body() -> None:
    assert read([b"abc"], content_length="x")[0] == b"abc"


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "GZIP"])
def test_an_encoded_body_is_refused_before_anything_is_read(encoding: str) -> None:
    assert refusal_of([], content_encoding=encoding) == "content_encoding"


@pytest.mark.parametrize("encoding", ["identity", " Identity ", ""])
def test_the_identity_is_no_encoding(encoding: str) -> None:
    assert read([b"abc"], content_encoding=encoding)[0] == b"abc"


@pytest.mark.parametrize("pieces", [[None], [b"abc", None]])
def test_a_client_that_leaves_is_noticed(pieces: list[bytes | None]) -> None:
    with pytest.raises(ClientLeft):
        read(pieces)


def test_what_has_no_room_is_not_kept() -> None:
    def refuse(size: int) -> None:
        raise GatewayError("queue_full", "no room")

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"abc", "more_body": True}

    with pytest.raises(GatewayError) as refusal:
        trio.run(read_body, receive, {}, 10, refuse)
    assert refusal.value.code == "queue_full"
