"""Which patterns of unread paths compile."""

import pytest

from kt.compiler import compile_source
from kt.compiler.passthrough import _PATTERN
from kt.exchange import JUDGED
from kt.source import Source
from kt.wire.endpoints import FORMATS


@pytest.mark.parametrize("pattern", ["/v1/*", "/v1/files/*/content", "/v1/ft:a@b/x~y.z", "/v1/..x"])
def test_a_pattern_is_parts_and_stars(pattern: str) -> None:
    assert _PATTERN.fullmatch(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["/v1", "/v1/", "/v1/a/", "v1/a", "/v1//a", "/v1/a*", "/v1/.", "/v1/../x", "/v1/a?b", "/v1/é"],
)
def test_anything_else_is_none(pattern: str) -> None:
    assert not _PATTERN.fullmatch(pattern)


def test_the_plan_has_each_pattern_once_in_order() -> None:
    text = "gateway: {passthrough: [/v1/files/*, /v1/moderations, /v1/files/*]}"
    assert compile_source(Source("kt.yaml", text)).plan.passthrough == (
        "/v1/files/*",
        "/v1/moderations",
    )


def test_the_hall_and_the_formats_agree_on_what_is_judged() -> None:
    assert {path: one.dialect for path, one in FORMATS.items()} == JUDGED
