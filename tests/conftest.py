"""Hypothesis profiles and the clocks that async tests run on."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("fast", max_examples=60, deadline=None)
# CI tries the same examples every time, so that a change is judged and not the dice; `make deep`
# looks for new ones.
settings.register_profile(
    "ci",
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "deep", max_examples=5000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("KT_HYPOTHESIS_PROFILE", "fast"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person rewrite the golden cases, to read what changed in the diff; never in CI."""
    parser.addoption("--rewrite-cases", action="store_true", help="rewrite fixtures/**/*.case")
