"""Look inside encodings: runs of base64 that hold readable text.

In: a whole text. Out: each run's span (UTF-8 byte offsets) and what it decodes to. Never: guesses
in a streamed text, where a run's end is not known.
"""

import base64
import binascii
import re

import attrs

_RUN = re.compile(r"[A-Za-z0-9+/_-]{16,}+={0,2}")


@attrs.frozen
class Decoded:
    """A run of an encoding and the text that it holds."""

    start: int
    end: int
    text: str


def decoded_runs(text: str) -> tuple[Decoded, ...]:
    """Every base64 run (standard or URL-safe, padded or not) that decodes to UTF-8 text."""
    found = []
    at = offset = 0
    for match in _RUN.finditer(text):
        offset += len(text[at : match.start()].encode())
        at = match.start()
        plain = _decode(match[0])
        if plain is not None:
            found.append(Decoded(offset, offset + len(match[0]), plain))
    return tuple(found)


def _decode(run: str) -> str | None:
    body = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
        text = data.decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return text if text.isprintable() or "\n" in text else None
