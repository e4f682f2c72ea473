"""Laws of conditions: a map is its text, the plan asks what was written, mistakes have places."""

import itertools
import json
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kt.compiler import compile_source
from kt.errors import ConfigError
from kt.filters.facts import FilterFacts
from kt.filters.forms import Value
from kt.filters.parser import parse_filter
from kt.filters.syntax import Always, Filter
from kt.filters.vocabulary import REQUEST
from kt.policy import Phase
from kt.source import Source
from tests.support.filter_strategies import holds, with_not_pushed_inwards

# Any: a YAML document.

TEXTS = st.text("ab é\"'\\#:{}", max_size=6)


def file_of(condition: Any, style: str | None = None, width: int = 80) -> Source:
    """A configuration of one entry with a condition."""
    chain = [{"prompt-injection": {"when": condition}}, "audit-logger"]
    data = {"policies": {"chain": chain}}
    text: str = yaml.dump(data, default_style=style, width=width, allow_unicode=True)
    return Source("kt.yaml", text)


# ---- A map is its text

MAPS = st.fixed_dictionaries(
    {},
    optional={
        "path": TEXTS,
        "header": st.dictionaries(st.sampled_from(["X-A", "x-b", "c"]), TEXTS, max_size=3),
        "model": st.one_of(TEXTS, st.lists(TEXTS, min_size=1, max_size=3)),
        "max_tokens_gt": st.integers(0, 9),
        "max-tokens-lte": st.integers(0, 9),
        "text.length_lt": st.integers(1, 9).map("{}KB".format),
        "request.temperature": st.sampled_from([None, 0, 0.5]),
        "stream": st.booleans(),
    },
)

WRITTEN = MappingProxyType(
    {
        "path": "request.path starts_with",
        "model": "request.model",
        "max_tokens_gt": "request.max_tokens >",
        "max-tokens-lte": "request.max_tokens <=",
        "text.length_lt": "request.text.length <",
        "request.temperature": "request.temperature ==",
        "stream": "request.stream ==",
    }
)


def as_text(given_map: dict[str, Any]) -> str:
    """The map in the filter language, written from the page and not from the code."""
    parts = []
    for key in sorted(given_map, key=lambda key: str(key).replace("-", "_")):
        value = given_map[key]
        if key == "header":
            headers = sorted((name.lower(), one) for name, one in value.items())
            parts += [f'header["{name}"] == {quoted(one)}' for name, one in headers]
        elif key == "model":
            operator = "in" if isinstance(value, list) else "=="
            parts.append(f"request.model {operator} {quoted(value)}")
        else:
            is_size = key == "text.length_lt"
            parts.append(f"{WRITTEN[key]} {value if is_size else quoted(value)}")
    return " and ".join(parts) or "true"


def quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def check_same_plan(given_map: dict[str, Any], text: str) -> None:
    one, other = (compile_source(file_of(condition)) for condition in (given_map, text))
    assert one.plan.digest == other.plan.digest
    assert one.plan == other.plan


@given(MAPS)
def test_a_map_and_its_text_are_one_plan(given_map: dict[str, Any]) -> None:
    check_same_plan(given_map, as_text(given_map))


def test_the_law_of_forms_finds_another_operator() -> None:
    with pytest.raises(AssertionError):
        check_same_plan({"path": "/v1"}, 'request.path == "/v1"')


# ---- The plan asks what was written

ATOMS = (
    *("request.max_tokens > 1", "request.max_tokens <= 1", "request.max_tokens == 2"),
    *("request.max_tokens != 2", "request.max_tokens in [1, null]", "exists(request.max_tokens)"),
    *("request.stream", "request.stream != true", "request.stream == null", "false", "true"),
    *('header["x-a"] == "a"', 'header["x-a"] != "a"', 'header["x-a"] matches "^a"'),
    *('header["x-a"] contains "b"', 'header["x-a"] in []'),
)

DOMAINS: tuple[tuple[str, tuple[Value, ...]], ...] = (
    ("request.max_tokens", (None, 0, 1, 2, 3)),
    ("request.stream", (None, True, False)),
    ('header["x-a"]', ("a", "b", "ab")),
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        several.map(" and ".join).map("({})".format),
        several.map(" or ".join).map("({})".format),
        inner.map("not {}".format),
    )


FILTERS = st.recursive(st.sampled_from(ATOMS), _larger, max_leaves=6)


def every_facts() -> Iterator[FilterFacts]:
    """All that a request may be, as far as the atoms can tell."""
    fields = [[(), *(((name, value),) for value in values)] for name, values in DOMAINS]
    for chosen in itertools.product(*fields):
        yield FilterFacts(MappingProxyType(dict(itertools.chain.from_iterable(chosen))))


FACTS = tuple(every_facts())


def kept(text: str) -> Filter:
    """The condition of the plan: always, where there is none, and never, where no step is left."""
    steps = compile_source(file_of(text)).plan.steps(Phase.INPUT)
    if not steps:
        return Always(always=False)
    return steps[0].when or Always(always=True)


def check_asked(text: str, compiled: Callable[[str], Filter]) -> None:
    written, planned = parse_filter(text, REQUEST), compiled(text)
    assert [one for one in FACTS if holds(written, one) is not holds(planned, one)] == []


@given(FILTERS)
def test_the_plan_asks_what_was_written(text: str) -> None:
    check_asked(text, kept)


@given(FILTERS)
def test_a_step_is_left_out_only_if_no_request_is_for_it_and_said_so(text: str) -> None:
    compiled = compile_source(file_of(text))
    names = {one.name for one in compiled.report.warnings}
    written = parse_filter(text, REQUEST)
    held = {holds(written, one) for one in FACTS}
    assert ("when_never" in names) is not bool(compiled.plan.steps(Phase.INPUT))
    assert "when_never" not in names or held == {False}
    assert "when_always" not in names or held == {True}


def test_the_law_of_conditions_finds_a_not_that_is_pushed_inwards() -> None:
    text = "not request.max_tokens == 2"
    check_asked(text, kept)
    with pytest.raises(AssertionError):
        check_asked(text, lambda one: with_not_pushed_inwards(kept(one)))


# ---- A mistake has its place

STYLES = st.sampled_from([None, "'", '"', "|", ">"])


def place_of(source: Source) -> str:
    """What stands where the only error is."""
    with pytest.raises(ConfigError) as raised:
        compile_source(source)
    (error,) = raised.value.report.errors
    return source.text[error.span.start : error.span.end]


@given(FILTERS, FILTERS, STYLES, st.integers(20, 90))
def test_a_mistake_is_found_in_every_style(
    before: str, after: str, style: str | None, width: int
) -> None:
    text = f"{before} and zzzz or {after}"
    assert place_of(file_of(text, style, width)) == "zzzz"
