"""The exceptions of kt, and the one table of what a client is told when a request fails.

* KtError
  x ConfigError         everything that is wrong with a configuration, at once
  x UsageError          the command line asks for something that cannot be done
  x GatewayError        one request cannot be answered; carries its row of REFUSALS
* HouseBug              a law of ours is broken; never caught on purpose

Foreign exceptions are mapped once, in the room that owns the library.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from kt.diagnostics import Report


class KtError(Exception):
    """The root of what kt raises for its users."""


class ConfigError(KtError):
    """A configuration that does not compile; `report` holds every diagnostic."""

    def __init__(self, report: "Report") -> None:
        super().__init__(f"{len(report.errors)} errors in {report.source.name}")
        self.report = report


class UsageError(KtError):
    """Something outside the configuration stops a command: its message and one thing to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class HouseBug(BaseException):
    """A law that we promised is broken. Not an `Exception`, so that no policy guard hides it."""


@attrs.frozen
class Refusal:
    """One row of the HTTP contract: how a failure looks to the client."""

    status: int
    type: str
    should_retry: bool | None = None
    """The value of `x-should-retry`; None leaves the decision to the client's SDK."""
    retry_after: bool = False
    """Whether `retry-after` goes with it."""


REFUSALS: Mapping[str, Refusal] = MappingProxyType(
    {
        "input_blocked": Refusal(409, "policy_violation", should_retry=False),
        "output_blocked": Refusal(409, "policy_violation", should_retry=False),
        "escalation_required": Refusal(409, "policy_violation", should_retry=False),
        "hold_exceeded": Refusal(409, "policy_violation", should_retry=False),
        "queue_full": Refusal(429, "rate_limit", retry_after=True),
        "queue_timeout": Refusal(429, "rate_limit", retry_after=True),
        "user_limit": Refusal(429, "rate_limit", retry_after=True),
        "team_limit": Refusal(429, "rate_limit", retry_after=True),
        "rate_limited": Refusal(429, "rate_limit", retry_after=True),
        "invalid_api_key": Refusal(401, "authentication_error", should_retry=False),
        "model_not_allowed": Refusal(403, "permission_error", should_retry=False),
        "address_not_allowed": Refusal(403, "permission_error", should_retry=False),
        "invalid_json": Refusal(400, "validation_error", should_retry=False),
        "ambiguous_json": Refusal(400, "validation_error", should_retry=False),
        "invalid_shape": Refusal(422, "validation_error", should_retry=False),
        "tokens_not_readable": Refusal(422, "validation_error", should_retry=False),
        "stream_not_judged": Refusal(422, "validation_error", should_retry=False),
        "body_too_large": Refusal(413, "validation_error", should_retry=False),
        "content_encoding": Refusal(415, "validation_error", should_retry=False),
        "reload_failed": Refusal(422, "validation_error", should_retry=False),
        "admin_token": Refusal(401, "authentication_error", should_retry=False),
        "unknown_path": Refusal(404, "not_found", should_retry=False),
        "no_target": Refusal(404, "not_found", should_retry=False),
        "unknown_model": Refusal(404, "not_found", should_retry=False),
        "method_not_allowed": Refusal(405, "not_found", should_retry=False),
        "connect_failed": Refusal(502, "upstream_error"),
        "upstream_5xx": Refusal(502, "upstream_error"),
        "upstream_auth": Refusal(502, "upstream_error", should_retry=False),
        "bad_response": Refusal(502, "upstream_error"),
        "upstream_cut": Refusal(502, "upstream_error"),
        "connect_timeout": Refusal(504, "upstream_error"),
        "first_byte_timeout": Refusal(504, "upstream_error"),
        "inter_chunk_timeout": Refusal(504, "upstream_error"),
        "request_timeout": Refusal(504, "upstream_error"),
        "stream_timeout": Refusal(504, "upstream_error"),
        "policy_unavailable": Refusal(503, "unavailable", retry_after=True),
        "circuit_open": Refusal(503, "unavailable", retry_after=True),
        "draining": Refusal(503, "unavailable", retry_after=True),
        "internal_error": Refusal(500, "internal_error", should_retry=False),
    }
)
"""Code -> what the client sees (design section 7). Nobody writes a status at the point of use."""


class GatewayError(KtError):
    """This request ends here. `code` is a row of REFUSALS; the message never quotes the text."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        policy: str | None = None,
        should_retry: bool | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.policy = policy
        self.refusal = REFUSALS[code]
        self.headers = headers
        self.should_retry = self.refusal.should_retry if should_retry is None else should_retry

    def body(self) -> dict[str, dict[str, str | None]]:
        """The OpenAI API's error envelope, all four keys, and our `policy` where one decided."""
        error = {
            "message": self.message,
            "type": self.refusal.type,
            "param": None,
            "code": self.code,
        }
        return {"error": error if self.policy is None else {**error, "policy": self.policy}}
