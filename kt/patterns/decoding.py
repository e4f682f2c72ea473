"""Look inside encodings: what runs of base64 hold.

In: a whole text. Out: each run's span (UTF-8 byte offsets) and what it decodes to. Never: guesses
in a streamed text, where a run's end is not known.
"""

import base64
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
    """Every base64 run (standard or URL-safe, padded or not) and what it decodes to.

    What is no UTF-8 comes out with replacement characters: a run is never skipped because a part
    of it is not readable.
    """
    found = []
    at = offset = 0
    for match in _RUN.finditer(text):
        offset += len(text[at : match.start()].encode())
        at = match.start()
        found.append(Decoded(offset, offset + len(match[0]), _decode(match[0])))
    return tuple(found)


def _decode(run: str) -> str:
    body = run.rstrip("=").replace("-", "+").replace("_", "/")
    # A single letter too many says nothing by itself, and would hide the rest.
    whole = body[:-1] if len(body) % 4 == 1 else body
    return base64.b64decode(whole + "=" * (-len(whole) % 4)).decode(errors="replace")
