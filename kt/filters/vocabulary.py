"""The fields that a filter may name, by place of use: one table per place."""

import attrs

from kt.filters.forms import Form, Kind
from kt.policy import Outcome

HEADER = "header"
"""The one field with a key: `header["x-env"]`, in any case."""


@attrs.frozen
class Entry:
    """One field."""

    name: str
    form: Form
    meaning: str

    @property
    def has_key(self) -> bool:
        """Whether it is written with a key in brackets."""
        return self.name == HEADER


@attrs.frozen
class Vocabulary:
    """The fields of one place of use."""

    subject: str
    """What a filter here is about."""
    entries: tuple[Entry, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All fields, as they are written without a key."""
        return tuple(entry.name for entry in self.entries)

    def find(self, name: str) -> Entry | None:
        """The field of that name."""
        return next((entry for entry in self.entries if entry.name == name), None)


_TEXT = Form(Kind.TEXT)
_TEXT_OR_NULL = Form(Kind.TEXT, is_nullable=True)
_NUMBER_OR_NULL = Form(Kind.NUMBER, is_nullable=True)
_WHOLE_OR_NULL = Form(Kind.NUMBER, is_nullable=True, is_whole=True)
_COUNT = Form(Kind.NUMBER, is_whole=True, minimum=0)
_COUNT_OR_NULL = Form(Kind.NUMBER, is_nullable=True, is_whole=True, minimum=0)
_BYTES = Form(Kind.BYTES, is_whole=True, minimum=0)
_BOOLEAN = Form(Kind.BOOLEAN)
_LATENCY = Form(Kind.MILLISECONDS, minimum=0)
_LATENCY_OR_NULL = Form(Kind.MILLISECONDS, is_nullable=True, minimum=0)
_VERDICT = Form(Kind.TEXT, words=tuple(outcome.value for outcome in Outcome))

REQUEST = Vocabulary(
    "request",
    (
        Entry("request.path", _TEXT, "the path of the URL, without the query"),
        Entry("request.model", _TEXT, "the model that the client asks for"),
        Entry("request.stream", Form(Kind.BOOLEAN, is_nullable=True), "asks for a stream"),
        Entry("request.temperature", _NUMBER_OR_NULL, "as the client sent it"),
        Entry("request.max_tokens", _WHOLE_OR_NULL, "the longest answer, by any of its names"),
        Entry("request.messages.count", _COUNT, "how many messages there are"),
        Entry("request.text.length", _BYTES, "the UTF-8 bytes of all text that policies read"),
        Entry("user.id", _TEXT, "who asks"),
        Entry("user.team", _TEXT, "the team of who asks"),
        Entry("user.role", _TEXT, "the role of who asks"),
        Entry("user.groups", Form(Kind.TEXTS), "the groups of who asks"),
        Entry("provider.id", _TEXT, "the target that is about to be asked"),
        Entry(HEADER, _TEXT, "a header of the request, its name in any case"),
    ),
)

EVENT = Vocabulary(
    "event",
    (
        Entry("id", _TEXT, "the event's own number"),
        Entry("timestamp", _TEXT, "when the request ended (RFC 3339, UTC)"),
        Entry("request_id", _TEXT, "the request's number"),
        Entry("event_type", _TEXT, "what the event is about"),
        Entry("verdict", _VERDICT, "what became of the request"),
        Entry("reason_code", _TEXT_OR_NULL, "why the request failed"),
        Entry("policy", _TEXT_OR_NULL, "the policy that decided"),
        Entry("model", _TEXT_OR_NULL, "the model that the client asked for"),
        Entry("provider", _TEXT_OR_NULL, "the target that was asked"),
        Entry("attempts", _COUNT, "how often a provider was asked for this request"),
        Entry("status", _COUNT, "the HTTP status of the answer"),
        Entry("stream", _BOOLEAN, "whether the answer was a stream"),
        Entry("cache", _TEXT, "`hit`, `miss` or `bypass`"),
        Entry("latency_ms", _LATENCY, "from the request to the end of the answer"),
        Entry("overhead_ms", _LATENCY, "the gateway's own part of that"),
        Entry("policy_chain_ms", _LATENCY, "the policies' part of that"),
        Entry("ttfb_ms", _LATENCY_OR_NULL, "from the request to the first byte of the answer"),
        Entry("input_tokens", _COUNT_OR_NULL, "as the provider counted them"),
        Entry("output_tokens", _COUNT_OR_NULL, "as the provider counted them"),
        Entry("policies", Form(Kind.TEXTS), "the names of the policies that answered"),
        Entry("user", _TEXT_OR_NULL, "who asked"),
        Entry("team", _TEXT_OR_NULL, "the team of who asked"),
        Entry("config_version", _TEXT, "the version of the configuration"),
        Entry("plan", _TEXT, "the digest of the plan"),
        Entry("gateway_id", _TEXT, "which gateway it was"),
    ),
)
