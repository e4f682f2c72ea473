"""Numbers and names of a request: believed where their form is right, else made or left out."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.runtime import identity
from kt.runtime.identity import Identity, new_event_id, new_token, same_secret

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def of(**headers: str) -> Identity:
    """The identity of a request with these headers."""
    return Identity.of(
        {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    )


def test_a_valid_number_and_trace_are_kept() -> None:
    made = of(x_request_id="a.B-1_2:3", traceparent=TRACE)
    assert (made.request_id, made.traceparent) == ("a.B-1_2:3", TRACE)


@pytest.mark.parametrize(
    "trace",
    [
        "",
        TRACE.upper(),
        TRACE.replace("00-", "ff-"),
        TRACE + "-00",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        TRACE + "\n",
    ],
)
def test_a_malformed_trace_is_replaced(trace: str) -> None:
    made = of(traceparent=trace).traceparent
    assert made != trace
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", made)


@given(st.binary(max_size=200))
def test_whatever_is_sent_the_number_fits_into_a_header_and_a_line(sent: bytes) -> None:
    check_form(sent)


def check_form(sent: bytes) -> None:
    """Hold an identity made of these bytes against the law."""
    headers = dict.fromkeys((b"x-request-id", b"traceparent", b"x-user-id", b"x-team"), sent)
    made = Identity.of(headers)
    for value in (made.request_id, made.traceparent, made.user, made.team):
        assert value is None or re.fullmatch(r"[\x21-\x7e]{1,200}", value)


def test_the_law_finds_a_form_that_allows_a_line_break(monkeypatch: pytest.MonkeyPatch) -> None:
    check_form(b"a\nb: c")
    monkeypatch.setattr(identity, "_REQUEST_ID", re.compile(r"[^\r]{1,128}"))
    with pytest.raises(AssertionError):
        check_form(b"a\nb: c")


def test_names_come_from_their_headers() -> None:
    made = of(
        x_user_id="ann",
        x_org_id="org",
        x_user_role="admin",
        x_conversation_id="c",
        x_keeptrusts_agent_id="a",
    )
    assert (made.user, made.team, made.role) == ("ann", "org", "admin")
    assert (made.conversation, made.agent) == ("c", "a")
    assert of(x_team="team", x_org_id="org").team == "team"
    assert of().user is None


def test_made_numbers_differ() -> None:
    assert of().request_id != of().request_id
    assert new_event_id() != new_event_id()
    assert new_token() != new_token()
    assert len(new_token()) >= 40


def test_secrets_are_equal_only_to_themselves() -> None:
    assert same_secret("a", "a")
    assert not same_secret("a", "b")
    assert not same_secret("é", "e")
