"""What browsers let the pages of other origins do with our answers.

In: the plan's rules and a request's headers. Out: headers of the answer. Never: `*` together with
credentials, an origin that the plan does not name.
"""

import attrs

from kt.plan import Cors
from kt.runtime.identity import Headers

HeaderPairs = tuple[tuple[bytes, bytes], ...]
ANY = "*"

_VARY = (b"vary", b"Origin")
_VARY_ALL = (b"vary", b"Origin, Access-Control-Request-Headers")


@attrs.frozen
class CorsRules:
    """The rules of a plan, bound."""

    rules: Cors

    def is_preflight(self, method: str, headers: Headers) -> bool:
        """Whether a browser asks if it may ask."""
        return method == "OPTIONS" and b"access-control-request-method" in headers

    def preflight(self, headers: Headers) -> HeaderPairs:
        """What the answer to a preflight says; of another origin nothing that allows anything."""
        rules = self.rules
        granted = self._granted(headers)
        if not granted:
            return (_VARY_ALL,)
        age = () if rules.max_age is None else (_pair("access-control-max-age", rules.max_age),)
        return (
            _VARY_ALL,
            *granted,
            _pair("access-control-allow-methods", ", ".join(rules.methods)),
            *self._allowed_headers(headers),
            *age,
        )

    def answer(self, headers: Headers) -> HeaderPairs:
        """What any other answer says, whoever asked: caches must know that it depends on that."""
        granted = self._granted(headers)
        if not granted or not self.rules.exposed:
            return (_VARY, *granted)
        exposed = _pair("access-control-expose-headers", ", ".join(self.rules.exposed))
        return (_VARY, *granted, exposed)

    def _granted(self, headers: Headers) -> HeaderPairs:
        origin = headers.get(b"origin", b"")
        if not origin:
            return ()
        if ANY in self.rules.origins:
            return (_pair("access-control-allow-origin", ANY),)
        if origin.decode("latin-1") not in self.rules.origins:
            return ()
        named = (b"access-control-allow-origin", origin)
        if self.rules.credentials:
            return (named, (b"access-control-allow-credentials", b"true"))
        return (named,)

    def _allowed_headers(self, headers: Headers) -> HeaderPairs:
        if ANY not in self.rules.headers:
            return (_pair("access-control-allow-headers", ", ".join(self.rules.headers)),)
        asked = headers.get(b"access-control-request-headers", b"")
        return ((b"access-control-allow-headers", asked),) if asked else ()


def _pair(name: str, value: object) -> tuple[bytes, bytes]:
    return name.encode(), str(value).encode()
