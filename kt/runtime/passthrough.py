"""Forward requests unread: other paths of a provider, as far as the plan lists them.

In: a request whose path a pattern of the plan matches. Out: the first target's answer as it came.
Never: a path whose bodies are judged, however it is spelled; a path that means another to whoever
resolves it (dots, empty parts, escapes); a header that may carry a key.
"""

import re
from collections.abc import Mapping

import attrs

from kt.errors import GatewayError
from kt.exchange import JUDGED
from kt.plan import Plan
from kt.runtime.admission import Gate
from kt.runtime.exchange import Exchange, demand_answer
from kt.runtime.inbox import Receive
from kt.runtime.ledger import Ledger
from kt.runtime.reply import Reply
from kt.runtime.router import NO_KEY
from kt.runtime.upstream import Answer, TargetUnavailable, Upstream

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
FORWARDED = frozenset(
    {
        *(b"accept", b"content-type"),
        *(b"anthropic-beta", b"anthropic-version"),
        *(b"openai-beta", b"openai-organization", b"openai-project"),
    }
)
"""The client's headers that a provider sees."""
PASSED = "passthrough"
"""The reason code of what went on unread."""

_PART = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._~:@-]+"
_PATH = re.compile(rf"/v1(?:/{_PART})+")
_QUERY = re.compile(rb"[\x21\x22\x24-\x7e]*")


@attrs.frozen(kw_only=True)
class Passthrough:
    """The paths that are forwarded unread, bound to one plan."""

    plan: Plan
    gate: Gate
    upstreams: tuple[Upstream, ...]
    _patterns: tuple[re.Pattern[str], ...]

    @classmethod
    def of(cls, plan: Plan, gate: Gate, upstreams: tuple[Upstream, ...]) -> "Passthrough":
        """Bind a plan's patterns."""
        patterns = tuple(_compiled(pattern) for pattern in plan.passthrough)
        return cls(plan=plan, gate=gate, upstreams=upstreams, patterns=patterns)

    def covers(self, path: str) -> bool:
        """Whether a path is forwarded."""
        is_plain = _PATH.fullmatch(path) is not None and path.casefold() not in JUDGED
        return is_plain and any(pattern.fullmatch(path) for pattern in self._patterns)

    async def answer(
        self,
        target: "Forwarded",
        receive: Receive,
        headers: Mapping[bytes, bytes],
        reply: Reply,
        ledger: Ledger,
    ) -> None:
        """Answer one request completely. Raises ClientLeft if there is nobody to answer."""
        shared = (self.plan, self.gate, receive, headers, reply, ledger)
        await Unread(*shared, upstreams=self.upstreams, target=target).answer()


@attrs.frozen
class Forwarded:
    """What a client asks for, where nobody judges it."""

    method: str
    path: str
    query: bytes

    @property
    def whole(self) -> str:
        """The path with its query. Raises GatewayError for a query that is none."""
        if _QUERY.fullmatch(self.query) is None:
            raise GatewayError("unknown_path", "the query has characters that belong in no URL")
        return f"{self.path}?{self.query.decode()}" if self.query else self.path


@attrs.define
class Unread(Exchange):
    """A request that goes on as it came."""

    upstreams: tuple[Upstream, ...] = attrs.field(kw_only=True)
    target: Forwarded = attrs.field(kw_only=True)

    async def work(self, body: bytes) -> None:
        """Ask the first target, and send what it answers."""
        self.ledger.caller.demand_model(None)
        self.ledger.code = PASSED
        if not self.upstreams:
            raise GatewayError("upstream_auth", NO_KEY)
        upstream = self.upstreams[0]
        self.ledger.provider = upstream.target.id
        chosen = {name: value for name, value in self.headers.items() if name in FORWARDED}
        asked = (self.target.method.encode(), self.target.whole, {**chosen, **self.passed_on()})
        try:
            async with upstream.forward(*asked, body) as answer:
                self.note_waiting(answer)
                await self._answered(answer)
        except TargetUnavailable as unavailable:
            raise unavailable.error from None

    async def _answered(self, answer: Answer) -> None:
        demand_answer(answer)
        if answer.status >= 400:
            await self.pass_on(answer)
        elif answer.content_type.lower().startswith("text/event-stream"):
            await self._relay(answer)
        else:
            body = await answer.whole(self.plan.sizes.response_body.value)
            content_type = answer.content_type.encode("latin-1")
            await self.reply.whole(answer.status, body, content_type, answer.headers)

    async def _relay(self, answer: Answer) -> None:
        self.ledger.stream = True
        while (piece := await answer.piece()) is not None:
            await self.send(answer, piece)
        await self.reply.end()


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the plan: `*` is one part of a path, at the end also several."""
    *parts, last = pattern.removeprefix("/").split("/")
    parts = [_PART if part == "*" else re.escape(part) for part in parts]
    end = f"{_PART}(?:/{_PART})*" if last == "*" else re.escape(last)
    return re.compile("/" + "/".join([*parts, end]))
