"""Which values a field can have."""

import math

import pytest

from kt.filters.forms import Form, Kind, belongs

WHOLE = Form(Kind.NUMBER, is_whole=True, minimum=0)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (1, WHOLE),
        (1.0, WHOLE),
        (10**400, WHOLE),
        (0.5, Form(Kind.MILLISECONDS)),
        (-1, Form(Kind.BYTES)),
        (None, Form(Kind.TEXT, is_nullable=True)),
        (True, Form(Kind.BOOLEAN)),
        ("é", Form(Kind.TEXT)),
        ("a", Form(Kind.TEXT, words=("a", "b"))),
        (frozenset({"a"}), Form(Kind.TEXTS)),
        (frozenset(), Form(Kind.TEXTS)),
    ],
)
def test_a_value_of_the_form_belongs(value: object, form: Form) -> None:
    assert belongs(value, form)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (0.5, WHOLE),
        (-1, WHOLE),
        (True, WHOLE),
        ("1", WHOLE),
        (None, WHOLE),
        (math.nan, Form(Kind.NUMBER)),
        (math.inf, Form(Kind.NUMBER)),
        (math.inf, WHOLE),
        (1, Form(Kind.BOOLEAN)),
        (1, Form(Kind.TEXT)),
        ("\ud800", Form(Kind.TEXT)),
        ("c", Form(Kind.TEXT, words=("a", "b"))),
        ("a", Form(Kind.TEXTS)),
        (["a"], Form(Kind.TEXTS)),
        (frozenset({1}), Form(Kind.TEXTS)),
        (frozenset({"\udfff"}), Form(Kind.TEXTS)),
        ({"a": 1}, Form(Kind.TEXT)),
    ],
)
def test_any_other_value_does_not(value: object, form: Form) -> None:
    assert not belongs(value, form)
