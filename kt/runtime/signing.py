"""Signatures on what a moderation service is sent, and how its side holds them against it.

In: a key, a moment, a body. Out: the header `x-keeptrusts-signature: t=SECONDS,v1=HEX`, an
HMAC-SHA256 over the moment, a point and the body. Never: a comparison that tells by its time how
much of a signature was right.
"""

import hmac
import re

HEADER = b"x-keeptrusts-signature"
TOLERANCE = 300.0
"""Seconds between signing and receiving; what is older may be sent again by somebody else."""

_FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def signature(key: bytes, at: int, body: bytes) -> str:
    """The header's value for a body that is sent `at` seconds after the epoch."""
    return f"t={at},v1={_digest(key, str(at), body)}"


def is_genuine(
    key: bytes, header: str, body: bytes, now: float, tolerance: float = TOLERANCE
) -> bool:
    """Whether who has the key signed exactly this body, and not long ago. For the receiver."""
    form = _FORM.fullmatch(header)
    if form is None:
        return False
    is_signed = hmac.compare_digest(_digest(key, form[1], body), form[2])
    return is_signed and abs(now - int(form[1])) <= tolerance


def _digest(key: bytes, at: str, body: bytes) -> str:
    return hmac.new(key, at.encode() + b"." + body, "sha256").hexdigest()
