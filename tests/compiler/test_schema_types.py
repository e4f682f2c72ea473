"""What a type looks like, and which keys a section has."""

from typing import Any

import attrs
import pytest

from kt.compiler.compounds import COMPOUNDS
from kt.compiler.leaves import LEAVES
from kt.compiler.model import Config
from kt.compiler.schema_types import COMPOUND_SCHEMAS, LEAF_SCHEMAS, keys_at, value
from kt.errors import HouseBug
from kt.policies.pii_detector import PiiDetector
from kt.policies.rbac import Rbac


def test_every_type_of_a_scalar_has_its_schema() -> None:
    assert LEAF_SCHEMAS.keys() == LEAVES.keys()
    assert COMPOUND_SCHEMAS.keys() == {due for due, _ in COMPOUNDS}


def test_a_type_that_nobody_reads_has_no_schema() -> None:
    with pytest.raises(HouseBug, match="no schema for"):
        value(tuple[int, int, int])


@pytest.mark.parametrize(
    ("due", "steps", "expected"),
    [
        (Config, (), set(attrs.fields_dict(Config))),
        (Config, ("gateway", "upstream", "keep-alive"), {"enabled", "interval", "timeout"}),
        (Config, ("providers", "targets", 3, "secret_key_ref"), {"env", "store"}),
        (PiiDetector, (), {*attrs.fields_dict(PiiDetector), "fail_open", "fail_closed"}),
        (Rbac, ("roles", "anybody"), {"allowed_tools", "denied_tools", "allowed_models"}),
        (Rbac, ("require_auth",), set()),
        (Rbac, ("zzz", "zzz"), set()),
        (None, (), set()),
    ],
)
def test_the_keys_at_a_place_are_those_of_its_section(
    due: Any, steps: tuple[str | int, ...], expected: set[str]
) -> None:
    assert set(keys_at(due, steps)) == expected
