"""What the mock provider is told to do: by its settings, by the model's name, by a header.

In: MockSettings, a model name, request headers. Out: the Behavior of one answer. Never: bytes.

Later beats earlier: settings, then the model `mock:<name>=<value>` (a gateway forwards it where it
drops headers), then the headers `x-mock-<name>: <value>`. The names are reply, echo and fault.
"""

from collections.abc import Iterable
from enum import Enum
from types import MappingProxyType

import attrs

from kt.units import parse_duration

MODEL_PREFIX = "mock:"
HEADER_PREFIX = "x-mock-"

FAULTS = MappingProxyType(
    {
        "slow_first_byte": "answers after a pause (=DURATION, 10s)",
        "stall": "sends half of the answer, then nothing more",
        "cut": "ends the connection in the middle of the answer",
        "cut_every_second": "does so in every second request",
        "no_done": "ends a stream without [DONE]",
        "malformed_json": "answers with JSON that is not whole",
        "malformed_sse": "answers a stream with bytes that are no events",
        "status": "answers with an error (=CODE, 500); 429 comes with retry-after",
        "never_ending": "streams without end",
        "error_frame": "sends half of the stream, then an error in it",
        "gzip": "compresses the answer although nobody asked for it",
    }
)
"""Every misbehavior and what it does; `=VALUE` is optional."""


class Echo(Enum):
    """What the answer says where no reply is given."""

    LAST = "last"
    """The text of the last user message."""
    REQUEST = "request"
    """The body of the request as it came."""
    HEADERS = "headers"
    """The headers of the request, as a JSON object."""


@attrs.frozen(kw_only=True)
class MockSettings:
    """How the mock provider answers where a request does not choose."""

    reply: str | None = None
    echo: Echo = Echo.LAST
    fault: str | None = None
    """`NAME` or `NAME=VALUE` of FAULTS."""
    fail_rate: float = 0.0
    """The share of requests that are answered 500."""
    seed: int = 0
    """Two mocks with one seed fail the same requests."""
    delay: float = 0.0
    """Seconds before the first byte."""
    chunks: int = 4
    """Into how many events a streamed text is cut; an empty text is one."""
    chunk_delay: float = 0.0
    """Seconds before each event after the first."""
    chunk_bytes: int | None = None
    """Send in pieces of this many bytes, wherever an event or a character ends."""
    keep: int = 1000
    """How many requests are remembered with their bodies."""


@attrs.frozen(kw_only=True)
class Behavior:
    """How one request is answered."""

    reply: str | None
    echo: Echo
    fault: str | None
    value: str
    """What stood behind `=` of the fault."""


class UnknownBehavior(ValueError):
    """A request or a setting asks for something that the mock cannot do."""


def choose(settings: MockSettings, model: str, headers: Iterable[tuple[str, str]]) -> Behavior:
    """The behavior that a request gets. Raises UnknownBehavior."""
    wishes = {"reply": settings.reply, "echo": settings.echo.value, "fault": settings.fault}
    for name, value in (*_of_model(model), *_of_headers(headers)):
        if name not in wishes:
            raise UnknownBehavior(f"unknown behavior; there are {', '.join(wishes)}")
        wishes[name] = value
    fault, _, value = (wishes["fault"] or "").partition("=")
    check_fault(fault, value)
    return Behavior(
        reply=wishes["reply"], echo=_echo(wishes["echo"]), fault=fault or None, value=value
    )


def check_fault(fault: str, value: str) -> None:
    """Raise UnknownBehavior unless the fault exists and can be given this value."""
    if fault and fault not in FAULTS:
        raise UnknownBehavior(f"unknown fault; there are {', '.join(FAULTS)}")
    if fault == "slow_first_byte" and value:
        try:
            parse_duration(value)
        except ValueError as error:
            raise UnknownBehavior(f"{fault}: {error}") from error
    elif fault == "status" and value:
        if not (value.isascii() and value.isdigit() and 400 <= int(value[:4]) <= 599):
            raise UnknownBehavior("status: expected a code from 400 to 599")
    elif value:
        raise UnknownBehavior(f"{fault} takes no value")


def _echo(name: str | None) -> Echo:
    try:
        return Echo(name)
    except ValueError as error:
        known = ", ".join(echo.value for echo in Echo)
        raise UnknownBehavior(f"unknown echo; there are {known}") from error


def _of_model(model: str) -> Iterable[tuple[str, str]]:
    if model.startswith(MODEL_PREFIX):
        name, _, value = model.removeprefix(MODEL_PREFIX).partition("=")
        yield name, value


def _of_headers(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    for name, value in headers:
        if name.startswith(HEADER_PREFIX):
            yield name.removeprefix(HEADER_PREFIX), value
