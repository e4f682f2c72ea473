"""What an editor says of conditions."""

import json

import pytest

from kt.compiler import compile_source
from kt.compiler.schema import schema_text
from kt.errors import ConfigError
from kt.source import Source
from tests.support.json_schema import accepts

SCHEMA = json.loads(schema_text())


def is_accepted(condition: str) -> tuple[bool, bool]:
    """Whether the schema and the compiler take a condition, written as JSON."""
    chain = [{"prompt-injection": {"when": json.loads(condition)}}]
    data = {"policies": {"chain": chain}}
    try:
        compile_source(Source("kt.yaml", json.dumps(data)))
    except ConfigError:
        return accepts(SCHEMA, data), False
    return accepts(SCHEMA, data), True


@pytest.mark.parametrize(
    "condition",
    [
        '"request.stream"',
        "{}",
        "null",
        '{"path": "/v1", "header": {"X-A": "b", "c": ["d"]}, "model": ["a", "b"]}',
        '{"max_tokens_gt": 5, "max-tokens-lte": "7", "request.text.length_lt": "64KB"}',
        '{"temperature": null, "stream": null, "user.role": ["a"], "wallet_balance": "x"}',
    ],
)
def test_what_compiles_is_accepted(condition: str) -> None:
    assert is_accepted(condition) == (True, True)


@pytest.mark.parametrize(
    "condition",
    [
        "7",
        '["request.stream"]',
        '{"modle": "a"}',
        '{"model_gt": "a"}',
        '{"model": 5}',
        '{"model": {"a": "b"}}',
        '{"stream": [true]}',
        '{"max_tokens_gt": [1]}',
        '{"max_tokens": true}',
        '{"header": "x"}',
        '{"header": {"x": 1}}',
    ],
)
def test_what_has_a_wrong_shape_is_refused(condition: str) -> None:
    assert is_accepted(condition) == (False, False)
