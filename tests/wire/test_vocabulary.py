"""Payloads are told from texts by their form."""

import pytest

from kt.wire.vocabulary import is_base64, is_data_url, is_file

LONG = "QUJD" * 20


@pytest.mark.parametrize(
    ("text", "base64", "url", "file"),
    [
        (LONG, True, False, True),
        (LONG + "==", True, False, True),
        ("4111111111111111", False, False, False),
        (LONG + " my number is 5", False, False, False),
        ("data:image/png;base64," + LONG, False, True, True),
        ("data:application/pdf;base64,QUJD", False, True, True),
        ("data:text/plain;base64," + LONG, False, False, False),
        ("data:application/json;base64," + LONG, False, False, False),
        ("data:image/png;base64,my words", False, False, False),
        ("https://host/a?mail=a@b.com", False, False, False),
        ("", False, False, False),
    ],
)
def test_payloads_are_known_by_their_form(text: str, base64: bool, url: bool, file: bool) -> None:
    assert (is_base64(text), is_data_url(text), is_file(text)) == (base64, url, file)
