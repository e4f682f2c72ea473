"""Numbers with and without a unit."""

import pytest

from kt.filters.quantities import Quantity, Unit, plain, read_quantity


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("500", 500, Unit.NONE),
        ("-0.5", -0.5, Unit.NONE),
        ("1e3", 1000, Unit.NONE),
        ("1e300", 1e300, Unit.NONE),
        ("9999999999999999999999999", 9999999999999999999999999, Unit.NONE),
        ("250ms", 250, Unit.DURATION),
        ("0.29s", 290, Unit.DURATION),
        ("1.5m", 90_000, Unit.DURATION),
        ("0.5ms", 0.5, Unit.DURATION),
        ("64KB", 65536, Unit.SIZE),
        ("1b", 1, Unit.SIZE),
    ],
)
def test_a_quantity_has_a_value_and_a_unit(text: str, value: float, unit: Unit) -> None:
    assert read_quantity(text) == Quantity(value, unit)


@pytest.mark.parametrize("text", ["", "x", "5x", "-5s", "1.2.3", "1e999", "1" * 26, "0x10", "1_0"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"unit|finite|number"):
        read_quantity(text)


def test_a_number_without_a_fraction_is_whole_where_it_is_exact() -> None:
    assert isinstance(plain(2.0), int)
    assert isinstance(plain(1e300), float)
    assert isinstance(plain(0.5), float)
