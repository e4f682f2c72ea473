"""What the language accepts and means, and how it refuses the rest."""

import pytest
from lark.exceptions import UnexpectedToken

from kt.filters.mistakes import MISTAKES
from kt.filters.parser import MAX_CHARACTERS, MAX_DEEP, _grammar, parse_filter
from kt.filters.printing import show
from kt.filters.refusals import REASONS, FilterError
from kt.filters.typing_rules import MAX_COMPARISONS, MAX_ITEMS
from kt.filters.vocabulary import EVENT, REQUEST, Vocabulary

EXAMPLES = [(code, text) for code, texts in MISTAKES for text in texts]


def refused(text: str, vocabulary: Vocabulary = EVENT) -> FilterError:
    with pytest.raises(FilterError) as caught:
        parse_filter(text, vocabulary)
    return caught.value


@pytest.mark.parametrize(("code", "text"), EXAMPLES)
def test_a_mistake_is_called_what_the_catalogue_calls_it(code: str, text: str) -> None:
    assert refused(text).code == code


@pytest.mark.parametrize(("code", "text"), EXAMPLES)
def test_a_mistake_is_called_the_same_deep_inside(code: str, text: str) -> None:
    if code not in ("unclosed_parenthesis", "unopened_parenthesis") and not text.endswith("("):
        inside = refused(f"not ((status == 1 or ({text}")
        assert inside.code in (code, "unclosed_parenthesis")


MISTAKES_WITH_PLACES = [
    ("latency_ms >", "missing_value", 12, 12),
    ("latency_ms >   ", "missing_value", 15, 15),
    ("(stream", "unclosed_parenthesis", 7, 7),
    ("stream)", "unopened_parenthesis", 6, 7),
    ("or == 1", "missing_condition", 0, 2),
    ("verdict == block", "name_as_value", 11, 16),
    ("500 < latency_ms", "value_first", 0, 3),
    ("stream && stream", "bad_character", 7, 8),
    ('model == "gpt', "unclosed_text", 9, 13),
    ("model == 'a\\'", "unclosed_text", 9, 13),
    ("stream \\ stream", "bad_character", 7, 8),
    ("model == 'a\ud800'", "half_character", 9, 13),
    ("model contains null", "wrong_type", 15, 19),
    ("latency_ms > 5x", "bad_number", 13, 15),
    ("latency_ms > 1.2.3", "bad_number", 13, 18),
    ("latency_ms > -5s", "bad_number", 13, 16),
    ("status == 1e999", "bad_number", 10, 15),
    ("mdel == 'a'", "unknown_field", 0, 4),
    ("stream and latency > 5", "unknown_field", 11, 18),
    ("model['a'] == 'b'", "takes_no_key", 0, 10),
    ("model > 'a'", "wrong_operator", 0, 11),
    ("latency_ms contains 5", "wrong_operator", 0, 21),
    ("policies == 'a'", "wrong_operator", 0, 15),
    ("stream in [true]", "wrong_operator", 0, 16),
    ("status in 200", "needs_list", 10, 13),
    ("status == [200]", "no_list", 0, 15),
    ("model", "not_a_condition", 0, 5),
    ("model == 5", "wrong_type", 9, 10),
    ("model in ['a', true]", "wrong_type", 15, 19),
    ("latency_ms < null", "wrong_type", 13, 17),
    ("status > 5s", "mixed_units", 9, 11),
    ("latency_ms > 64kb", "mixed_units", 13, 17),
    ("status == null", "never_null", 10, 14),
    ("verdict == 'blok'", "unknown_word", 11, 17),
    ("model matches 'gpt-(?=4)'", "bad_pattern", 19, 22),
    ("model ~ '\\\\d(?=4)'", "bad_pattern", 8, 18),
    ("model matches '.*'", "bad_pattern", 15, 17),
    ("not " * (MAX_DEEP + 1) + "stream", "too_deep", 4 * MAX_DEEP, 4 * MAX_DEEP + 10),
    (" " * (MAX_CHARACTERS + 1), "too_large", 0, MAX_CHARACTERS + 1),
]


@pytest.mark.parametrize(("text", "code", "start", "end"), MISTAKES_WITH_PLACES)
def test_a_refusal_has_a_code_and_the_exact_place(
    text: str, code: str, start: int, end: int
) -> None:
    error = refused(text)
    assert (error.code, error.start, error.end) == (code, start, end)


def test_the_bounds_on_comparisons_and_lists_are_exact() -> None:
    most = " or ".join(["stream"] * MAX_COMPARISONS)
    parse_filter(most, EVENT)
    assert refused(most + " or stream").code == "too_many"
    items = ",".join(["1"] * MAX_ITEMS)
    parse_filter(f"status in [{items}]", EVENT)
    assert refused(f"status in [{items},1]").code == "long_list"


def test_a_header_needs_a_name_that_a_header_can_have() -> None:
    assert refused("header == 'a'", REQUEST).code == "needs_key"
    assert refused("header['a b'] == 'a'", REQUEST).code == "bad_header_name"
    assert refused("header[''] == 'a'", REQUEST).code == "bad_header_name"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("mdel == 'a'", "did you mean 'model'?"),
        ("Latency_MS > 5", "did you mean 'latency_ms'?"),
        ("verdict == 'Block'", "did you mean 'block'?"),
    ],
)
def test_a_near_word_is_suggested(text: str, hint: str) -> None:
    assert refused(text).hint == hint


def test_a_short_name_leads_to_the_full_one() -> None:
    assert refused("temperature > 1", REQUEST).hint == "did you mean 'request.temperature'?"


def test_a_name_that_is_near_to_nothing_gets_the_list() -> None:
    assert "latency_ms" in refused("xyzzy == 1").hint
    assert "latency_ms" in refused("x" * 5000 + " == 1").hint


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("latency_ms>500", "latency_ms > 500"),
        ("latency_ms > 2s and latency_ms<=1.5m", "latency_ms > 2000 and latency_ms <= 90000"),
        ("latency_ms > 0.29s", "latency_ms > 290"),
        ("model = 'a' or model ~ '^gpt'", 'model == "a" or model matches "^gpt"'),
        ("((stream))", "stream == true"),
        ("not not stream", "not not stream == true"),
        ("not stream and stream", "not stream == true and stream == true"),
        ("not (stream and stream)", "not (stream == true and stream == true)"),
        ("stream and (stream and stream)", " and ".join(["stream == true"] * 3)),
        ("(stream or stream) and stream", "(stream == true or stream == true) and stream == true"),
        ("status not in [1, 2]", "status not in [1, 2]"),
        ("not status in []", "not status in []"),
        ("policy == null", "policy == null"),
        (r"model == 'it\'s \d \\ \"'", r"""model == "it's \\d \\ \"" """.strip()),
        ("model == '\n'", 'model == "\n"'),
        ("status == 1.0 or status == 1e2", "status == 1 or status == 100"),
        ("true or false", "true or false"),
        ("exists ( policy )", "exists(policy)"),
    ],
)
def test_a_text_means(text: str, meaning: str) -> None:
    assert show(parse_filter(text, EVENT)) == meaning


def test_a_word_that_begins_like_a_keyword_is_a_name() -> None:
    assert refused("orbit == 1").code == "unknown_field"
    assert refused("not_there == 1").code == "unknown_field"


def test_headers_have_names_in_any_case() -> None:
    one = parse_filter("header['X-Env'] == 'prod'", REQUEST)
    assert one == parse_filter('header["x-env"] == "prod"', REQUEST)


def test_sizes_are_bytes() -> None:
    tree = parse_filter("request.text.length > 64KB", REQUEST)
    assert show(tree) == "request.text.length > 65536"


def test_the_catalogue_has_only_codes_of_the_table() -> None:
    assert {code for code, _ in MISTAKES} <= REASONS.keys()


TOKENS = [
    "and",
    "or",
    "not",
    "exists",
    "==",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "contains",
    "starts_with",
    "ends_with",
    "matches",
    "~",
    "true",
    "false",
    "null",
    "policy",
    "1",
    "'a'",
    "(",
    ")",
    "[",
    "]",
    ",",
]


def accepted_after(text: str) -> str:
    """What the parser would take after a text that is the start of a filter."""
    session = _grammar().parse_interactive(text)
    session.exhaust_lexer()
    return " ".join(sorted(session.choices()))  # type: ignore[no-untyped-call]  # lark's own gap


def test_every_token_after_every_start_is_accepted_or_a_mistake_with_a_code() -> None:
    starts = {accepted_after(""): ""}
    seen = list(starts.values())
    for start in seen:
        for token in TOKENS:
            text = f"{start} {token}"
            try:
                accepted = accepted_after(text)
            except UnexpectedToken:
                assert refused(text).code in {code for code, _ in MISTAKES}
            else:
                if accepted not in starts:
                    starts[accepted] = text
                    seen.append(text)
        if "$END" not in accepted_after(start):
            assert refused(start).code in {code for code, _ in MISTAKES}
    assert len(starts) > 10
