"""The table of refusals and the envelope that clients parse."""

import pytest

from kt.errors import REFUSALS, GatewayError, HouseBug, KtError

ALLOWED = {
    "policy_violation": {409},
    "rate_limit": {429},
    "validation_error": {400, 413, 415, 422},
    "authentication_error": {401},
    "permission_error": {403},
    "not_found": {404, 405},
    "upstream_error": {502, 504},
    "unavailable": {503},
    "internal_error": {500},
}
"""Type -> statuses, from the table of design section 7."""


@pytest.mark.parametrize("code", REFUSALS)
def test_a_row_has_a_status_that_belongs_to_its_type(code: str) -> None:
    row = REFUSALS[code]
    assert row.status in ALLOWED[row.type]


def test_what_sdks_would_retry_in_vain_says_not_to() -> None:
    """The SDKs retry 408, 409, 429 and 5xx by themselves."""
    for code, row in REFUSALS.items():
        if row.status == 409:
            assert row.should_retry is False, code
        assert row.should_retry is not True, code


def test_advice_when_to_come_back_goes_with_what_passes() -> None:
    assert {code for code, row in REFUSALS.items() if row.retry_after} == {
        "queue_full",
        "queue_timeout",
        "user_limit",
        "rate_limited",
        "team_limit",
        "policy_unavailable",
        "circuit_open",
        "draining",
    }


def test_the_envelope_has_four_keys_and_a_policy_where_one_decided() -> None:
    assert GatewayError("queue_full", "no").body() == {
        "error": {"message": "no", "type": "rate_limit", "param": None, "code": "queue_full"}
    }
    assert GatewayError("input_blocked", "no", policy="p").body()["error"]["policy"] == "p"


def test_the_advice_of_a_row_can_be_overruled() -> None:
    assert GatewayError("connect_failed", "no").should_retry is None
    assert GatewayError("connect_failed", "no", should_retry=False).should_retry is False


def test_an_unknown_code_is_a_bug() -> None:
    with pytest.raises(KeyError):
        GatewayError("no_such_code", "no")


def test_a_broken_law_is_not_caught_with_the_failures_of_users() -> None:
    assert issubclass(GatewayError, KtError)
    assert not issubclass(HouseBug, Exception)
