"""Who asks and under which number: request ids, trace context, identity headers.

The only room that draws random numbers. What a client sends is believed only where it has the right
form; a wrong id is replaced, not refused, because it never decides anything.
"""

import re
import secrets
from collections.abc import Mapping

import attrs

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_IDENTITY = re.compile(r"[\x21-\x7e]{1,200}")

Headers = Mapping[bytes, bytes]
"""Lower-case names; the last of several values wins, as no header here may stand twice."""


@attrs.frozen(kw_only=True)
class Identity:
    """The numbers and names of one request. Names are None where the client gave none."""

    request_id: str
    traceparent: str
    user: str | None = None
    team: str | None = None
    role: str | None = None
    conversation: str | None = None
    agent: str | None = None

    @classmethod
    def of(cls, headers: Headers, *, is_believed: bool = True) -> "Identity":
        """Read the identity headers, creating the numbers that are missing or malformed.

        Of a client that is not believed only the numbers are read, which never decide anything.
        """
        names: Headers = headers if is_believed else {}
        return cls(
            request_id=_valid(headers, b"x-request-id", _REQUEST_ID)
            or f"req_{secrets.token_hex(12)}",
            traceparent=_valid(headers, b"traceparent", _TRACEPARENT) or _new_traceparent(),
            user=name_in(names, b"x-user-id"),
            team=name_in(names, b"x-team") or name_in(names, b"x-org-id"),
            role=name_in(names, b"x-user-role"),
            conversation=name_in(names, b"x-conversation-id"),
            agent=name_in(names, b"x-keeptrusts-agent-id"),
        )


def name_in(headers: Headers, header: bytes) -> str | None:
    """What a header names; None where it is missing, or no name."""
    return _valid(headers, header, _IDENTITY)


def new_event_id() -> str:
    """A fresh id of an event."""
    return f"evt_{secrets.token_hex(12)}"


def new_token() -> str:
    """A fresh secret for the admin surface."""
    return secrets.token_urlsafe(32)


def chance() -> float:
    """A number from 0 up to, and without, 1."""
    return secrets.randbelow(2**53) / 2**53


def same_secret(given: str, expected: str) -> bool:
    """Compare two secrets in constant time."""
    return secrets.compare_digest(given.encode(), expected.encode())


def _new_traceparent() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def _valid(headers: Headers, name: bytes, form: re.Pattern[str]) -> str | None:
    value = headers.get(name, b"").decode("latin-1")
    return value if form.fullmatch(value) else None
