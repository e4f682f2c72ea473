"""Resolve which paths are forwarded unread.

In: the patterns as written. Out: the same, once each. Never: a path whose bodies are judged.
"""

import re

from kt.compiler.gateway_sections import Gateway
from kt.diagnostics import Report
from kt.exchange import JUDGED

_PATTERN = re.compile(r"/v1(?:/(?:\*|(?!\.{1,2}(?:/|$))[A-Za-z0-9._~:@-]+))+")


def resolve_passthrough(gateway: Gateway, report: Report) -> tuple[str, ...]:
    """The patterns, in order. What is none, or would let a judged path pass, is reported."""
    for written in gateway.passthrough:
        if _PATTERN.fullmatch(written.value) is None:
            hint = "write a path below /v1, with * for a part of it: /v1/files/*"
            report.add("bad_path", written.span, hint=hint)
        elif written.value.casefold() in JUDGED:
            hint = "leave it out: policies read it, and nothing lets it pass unread"
            report.add("path_is_judged", written.span, word=written.value, hint=hint)
    return tuple(dict.fromkeys(written.value for written in gateway.passthrough))
