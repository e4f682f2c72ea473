"""What a client makes of the bytes that it got: answers, and what each says.

In: the bytes of a connection. Out: answers, their texts, errors and ends. Raises Unreadable for
bytes that no careful client would take. Never: a parser of ours.
"""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

Json = dict[str, Any]  # Any: JSON is any shape


class Unreadable(ValueError):
    """The bytes are no answers, or what they hold is no event stream."""


@attrs.frozen(kw_only=True)
class Seen:
    """One answer, as far as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_complete: bool

    @property
    def is_stream(self) -> bool:
        """Whether it is an event stream."""
        return self.headers.get("content-type", "").startswith("text/event-stream")


def read_answers(data: bytes, *, is_ended: bool) -> tuple[Seen, ...]:
    """The answers on a connection, in order; `is_ended`: no more bytes will come."""
    found = []
    while b"\r\n\r\n" in data:
        head, _, data = data.partition(b"\r\n\r\n")
        status, headers = _head(head)
        if status == 100:
            continue
        body, rest = _body(headers, data, is_ended=is_ended)
        found.append(Seen(status=status, headers=headers, body=body, is_complete=rest is not None))
        data = rest or b""
    if data and (found or not b"HTTP/1.1 ".startswith(data[:9])) and _is_junk(data):
        raise Unreadable("bytes that belong to no answer")
    return tuple(found)


def _is_junk(data: bytes) -> bool:
    return not (data.startswith(b"HTTP/1.1 ") or b"HTTP/1.1 ".startswith(data))


def _head(head: bytes) -> tuple[int, Mapping[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    if not re.fullmatch(r"HTTP/1\.1 [1-5][0-9][0-9] .*", first):
        raise Unreadable("no status line")
    fields = [line.partition(":")[::2] for line in lines]
    return int(first[9:12]), {name.lower(): value.strip() for name, value in fields}


def _body(headers: Mapping[str, str], data: bytes, *, is_ended: bool) -> tuple[bytes, bytes | None]:
    """The body and what follows it; None while the body has not ended."""
    if headers.get("transfer-encoding") == "chunked":
        return _chunks(data)
    if "content-length" not in headers:
        return data, b"" if is_ended else None
    size = int(headers["content-length"])
    return data[:size], data[size:] if len(data) >= size else None


def _chunks(data: bytes) -> tuple[bytes, bytes | None]:
    body = bytearray()
    while b"\r\n" in data:
        line, _, rest = data.partition(b"\r\n")
        if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", line):
            raise Unreadable("no chunk size")
        size = int(line, 16)
        body += rest[:size]
        if len(rest) < size + 2:
            break
        if rest[size : size + 2] != b"\r\n":
            raise Unreadable("a chunk of another size than it says")
        data = rest[size + 2 :]
        if not size:
            return bytes(body), data
    return bytes(body), None


@attrs.frozen(kw_only=True)
class Said:
    """What an answer says: its text, and how it ends."""

    text: str = ""
    repeated: tuple[str, ...] = ()
    """Texts that are said again as a whole."""
    error: str | None = None
    """The code or type of the error that it ends with."""
    is_good: bool = False
    """It came to its good end."""
    after_end: int = 0
    """Events behind the end, good or not."""


def read_said(path: str, seen: Seen) -> Said:
    """What an answer says in the format of a path. Raises Unreadable."""
    spoken = SPOKEN[path]
    try:
        if seen.is_stream:
            return _read_stream(spoken, seen)
        return _read_whole(spoken, seen) if seen.is_complete else Said()
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(f"not what {path} answers: {type(error).__name__} {error}") from error


def _read_whole(spoken: "Spoken", seen: Seen) -> Said:
    value = json.loads(seen.body)
    if seen.status >= 400:
        return Said(error=_error(value))
    return Said(text=spoken.whole(value), is_good=True)


def _error(value: Json) -> str:
    error = value.get("error")
    found = error if isinstance(error, dict) else value
    return str(found.get("code") or found["type"])


def _read_stream(spoken: "Spoken", seen: Seen) -> Said:
    said = Said()
    for data in events(seen.body):
        if said.error is not None or said.is_good:
            said = attrs.evolve(said, after_end=said.after_end + 1)
        elif spoken.is_last(data):
            said = attrs.evolve(said, is_good=True)
        else:
            said = _with_event(spoken, said, json.loads(data))
    return said


def _with_event(spoken: "Spoken", said: Said, value: Json) -> Said:
    if ("error" in value and value["error"] is not None) or value.get("type") == "error":
        return attrs.evolve(said, error=_error(value))
    return attrs.evolve(
        said,
        text=said.text + spoken.event(value),
        repeated=(*said.repeated, *spoken.repeated(value)),
    )


def events(body: bytes) -> tuple[str, ...]:
    """The data of each whole event."""
    *blocks, rest = body.split(b"\n\n")
    if any(line.startswith(b"id:") for block in blocks for line in block.split(b"\n")):
        raise Unreadable("an event with an id")
    del rest  # cut off: the answer is not complete, or has said its end
    found = []
    for block in blocks:
        lines = [line[5:].strip() for line in block.split(b"\n") if line.startswith(b"data:")]
        if lines:
            found.append(b"\n".join(lines).decode())
    return tuple(found)


@attrs.frozen(kw_only=True)
class Spoken:
    """One format, as a client knows it."""

    ask: Callable[[str], Json]
    whole: Callable[[Json], str]
    event: Callable[[Json], str] = lambda _: ""
    repeated: Callable[[Json], tuple[str, ...]] = lambda _: ()
    is_last: Callable[[str], bool] = lambda data: data == "[DONE]"


def _user(text: str) -> list[Json]:
    return [{"role": "user", "content": text}]


def _choice(value: Json, key: str, part: str | None) -> str:
    if not value["choices"]:
        return ""
    choice = value["choices"][0]
    return str((choice if part is None else choice[part]).get(key) or "")


def _repeated(value: Json) -> tuple[str, ...]:
    match value.get("type"):
        case "response.output_text.done":
            return (value["text"],)
        case "response.content_part.done":
            return (value["part"]["text"],)
        case "response.output_item.done":
            return (value["item"]["content"][0]["text"],)
    return ()


def _type(data: str) -> object:
    return json.loads(data).get("type")


def _anthropic_delta(value: Json) -> str:
    return str(value.get("delta", {}).get("text", ""))


def _responses_delta(value: Json) -> str:
    return str(value.get("delta", ""))


SPOKEN: Mapping[str, Spoken] = MappingProxyType(
    {
        "/v1/chat/completions": Spoken(
            ask=lambda text: {"messages": _user(text)},
            whole=lambda value: _choice(value, "content", "message"),
            event=lambda value: _choice(value, "content", "delta"),
        ),
        "/v1/completions": Spoken(
            ask=lambda text: {"prompt": text},
            whole=lambda value: _choice(value, "text", None),
            event=lambda value: _choice(value, "text", None),
        ),
        "/v1/embeddings": Spoken(ask=lambda text: {"input": text}, whole=lambda _: ""),
        "/v1/messages": Spoken(
            ask=lambda text: {"max_tokens": 9, "messages": _user(text)},
            whole=lambda value: str(value["content"][0]["text"]),
            event=_anthropic_delta,
            is_last=lambda data: _type(data) == "message_stop",
        ),
        "/v1/responses": Spoken(
            ask=lambda text: {"input": text},
            whole=lambda value: str(value["output"][0]["content"][0]["text"]),
            event=_responses_delta,
            repeated=_repeated,
            is_last=lambda data: _type(data) == "response.completed",
        ),
    }
)
"""Path -> its format."""


def asked_text(body: bytes) -> str:
    """The text of a request as it reached a provider. Raises Unreadable."""
    try:
        value = json.loads(body)
        if "messages" in value:
            return str(value["messages"][0]["content"])
        return str(value["prompt"] if "prompt" in value else value["input"])
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Unreadable("not what anybody asks") from error
