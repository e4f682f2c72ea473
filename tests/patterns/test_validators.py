"""Validators of candidates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.patterns.validators import VALIDATORS


@pytest.mark.parametrize(
    ("name", "candidate"),
    [
        ("luhn", "4111 1111 1111 1111"),
        ("luhn", "4222222222222"),
        ("luhn", "5555-5555-5555-4444"),
        ("luhn", "2223003122003222"),
        ("luhn", "378282246310005"),
        ("luhn", "6011111111111117"),
        ("luhn", "30569309025904"),
        ("luhn", "3530111333300000"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("iban", "GB82WEST12345698765432"),
        ("ssn", "123-45-6789"),
        ("ssn", "123 45 6789"),
        ("ip", "10.0.0.1"),
        ("ip", "2001:db8::1"),
    ],
)
def test_a_genuine_candidate_is_valid(name: str, candidate: str) -> None:
    assert VALIDATORS[name](candidate.encode())


@pytest.mark.parametrize(
    ("name", "candidate"),
    [
        ("luhn", "4111 1111 1111 1112"),
        ("luhn", "411111111111"),
        ("luhn", "0000000000000000"),
        ("luhn", "9111111111111111"),
        ("luhn", "4111x1111x1111x1111"),
        ("iban", "DE89 3704 0044 0532 0130 01"),
        ("iban", "XX82WEST12345698765432"),
        ("ssn", "000-45-6789"),
        ("ssn", "666-45-6789"),
        ("ssn", "900-45-6789"),
        ("ssn", "123-00-6789"),
        ("ssn", "123-45-0000"),
        ("ssn", "123-45-678"),
        ("ip", "256.0.0.1"),
        ("ip", "1.2.3"),
        ("ip", "01.2.3.4"),
    ],
)
def test_what_only_looks_right_is_not_valid(name: str, candidate: str) -> None:
    assert not VALIDATORS[name](candidate.encode())


@pytest.mark.parametrize("dash", "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
def test_groups_may_be_joined_by_any_dash(dash: str) -> None:
    assert VALIDATORS["ssn"](f"078{dash}05{dash}1120".encode())
    assert VALIDATORS["luhn"](f"4111{dash}1111{dash}1111{dash}1111".encode())


@given(st.sampled_from(sorted(VALIDATORS)), st.binary(max_size=40))
def test_a_validator_answers_for_any_bytes(name: str, candidate: bytes) -> None:
    assert VALIDATORS[name](candidate) in (True, False)


@given(st.sampled_from(sorted(VALIDATORS)), st.text("0123456789ABDEGX .-:\u0663", max_size=30))
def test_a_validator_answers_for_any_text(name: str, candidate: str) -> None:
    assert VALIDATORS[name](candidate.encode()) in (True, False)
