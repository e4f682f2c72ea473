"""Plain scalars by the core schema of YAML 1.2."""

import pytest

from kt.compiler.scalars import DIGITS, resolve
from kt.compiler.tree import Value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("Null", None),
        ("true", True),
        ("FALSE", False),
        ("no", "no"),
        ("on", "on"),
        ("y", "y"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("-1", -1),
        ("+1", 1),
        ("1.0", 1.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.0.0", "1.0.0"),
        ("2026-01-01", "2026-01-01"),
        (".", "."),
        ("<<", "<<"),
        ("٣", "٣"),
    ],
)
def test_a_plain_scalar_means_what_yaml_1_2_says(text: str, value: Value) -> None:
    resolved = resolve(text)
    assert (type(resolved), resolved) == (type(value), value)


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e999", "9" * (DIGITS + 1)])
def test_a_number_that_cannot_be_stored_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text[:3].replace(".", r"\.")):
        resolve(text)
