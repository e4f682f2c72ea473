"""Structuring: strict types, ranges, unknown keys; all problems of a tree at once."""

from enum import Enum

import attrs
import pytest

from kt.compiler.fields import Duration, Number, Size, Text, setting
from kt.compiler.leaves import LEAVES, Rejected, read_enum
from kt.compiler.model import Config
from kt.compiler.reader import read
from kt.compiler.structure import Structurer, structure
from kt.compiler.tree import Node
from kt.diagnostics import Report
from kt.policies import KINDS
from kt.policy import OnTrouble
from kt.source import Source

KNOWN = KINDS


def structured(text: str) -> tuple[Config | None, Report]:
    report = Report(Source("kt.yaml", text))
    tree = read(report.source, report)
    assert tree is not None
    return structure(tree, KNOWN, report), report


def config_of(text: str) -> Config:
    config, report = structured(text)
    assert config is not None, report.show()
    return config


def errors_of(text: str) -> list[tuple[str, str]]:
    """Each error's name and the text that it points at."""
    config, report = structured(text)
    assert config is not None or report.errors
    return [(one.name, text[one.span.start : one.span.end]) for one in report.errors]


def value_of(text: str) -> tuple[Node, Report]:
    report = Report(Source("kt.yaml", f"a: {text}"))
    tree = read(report.source, report)
    entry = None if tree is None else tree.get("a")
    assert entry is not None
    return entry.value, report


@pytest.mark.parametrize(
    ("due", "text", "value"),
    [
        (bool, "true", True),
        (int, "7", 7),
        (float, "7", 7.0),
        (float, "0.5", 0.5),
        (str, "x", "x"),
        (str, "'1'", "1"),
    ],
)
def test_a_leaf_of_the_right_type_is_read(due: type, text: str, value: object) -> None:
    node, report = value_of(text)
    read_value = LEAVES[due](report, node)
    assert (type(read_value), read_value) == (type(value), value)


@pytest.mark.parametrize(
    ("due", "text"),
    [
        *((bool, text) for text in ("no", "1", "'true'", "~", "[]", "{}")),
        *((int, text) for text in ("true", "1.0", "'1'", "~", "[1]", "{}")),
        *((float, text) for text in ("true", "'1'", "x", "~", "[]")),
        *((str, text) for text in ("true", "1", "1.5", "~", "[]", "{a: b}")),
        *((Text, text) for text in ("true", "1", "~")),
        *((Number, text) for text in ("true", "1.5", "5s")),
        *((Duration, text) for text in ("true", "5", "x", "1:30", "-1s", "[]", "~")),
        *((Size, text) for text in ("true", "1.5", "x", "5s", "[]", "~")),
    ],
)
def test_a_leaf_of_another_type_is_never_coerced(due: type, text: str) -> None:
    if due is Duration and text == "5":
        return
    node, report = value_of(text)
    with pytest.raises(Rejected):
        LEAVES[due](report, node)
    assert len(report.errors) == 1


@pytest.mark.parametrize(("due", "value"), [(Duration, 5.0), (Size, 5)])
def test_a_bare_number_has_a_unit_with_a_warning(due: type, value: float) -> None:
    node, report = value_of("5")
    assert LEAVES[due](report, node) == due(value, node.span)
    assert [one.name for one in report.warnings] == ["no_unit"]


class Word(Enum):
    """Words in either spelling."""

    ONE = "one-word"
    TWO = "two_words"


@pytest.mark.parametrize("text", ["one-word", "one_word"])
def test_a_word_is_spelled_with_either_stroke(text: str) -> None:
    node, report = value_of(text)
    assert read_enum(report, node, Word) is Word.ONE


@pytest.mark.parametrize(
    ("text", "hint"),
    [("one-wrd", "did you mean 'one-word'?"), ("zzz", "use one of one-word, two_words")],
)
def test_an_unknown_word_is_answered_with_the_words_there_are(text: str, hint: str) -> None:
    node, report = value_of(text)
    with pytest.raises(Rejected):
        read_enum(report, node, Word)
    assert report.errors[0].hint == hint


def test_every_problem_of_a_tree_is_reported_at_once() -> None:
    text = (
        "pack: {name: 1, version: 1.0, enabld: true}\n"
        "policies: {chain: [zzz, 1]}\n"
        "gateway: {listen_port: x, timeouts: [1], foo: 2}\n"
        "providers: {targets: [{}, {id: a, pool: {max_connections: 0}}]}\n"
        "policy: {pii-detector: {action: x, zzz: 1}}\n"
    )
    assert sorted(errors_of(text)) == sorted(
        [
            ("wrong_type", "1"),
            ("wrong_type", "1.0"),
            ("unknown_key", "enabld"),
            ("missing_key", "{name: 1, version: 1.0, enabld: true}"),
            ("unknown_kind", "zzz"),
            ("unknown_kind", "1"),
            ("wrong_type", "x"),
            ("wrong_type", "[1]"),
            ("unknown_key", "foo"),
            ("missing_key", "{}"),
            ("out_of_range", "0"),
            ("unknown_word", "x"),
            ("unknown_key", "zzz"),
        ]
    )


def test_keys_and_kinds_are_spelled_with_either_stroke() -> None:
    one = "policies: {chain: [pii-detector]}\npolicy: {pii-detector: {pci-mode: false}}"
    other = "policies: {chain: [pii_detector]}\npolicy: {pii_detector: {pci_mode: false}}"
    assert config_of(one) == config_of(other)


@pytest.mark.parametrize("value", ["", " ~", " {}"])
def test_an_empty_block_means_defaults(value: str) -> None:
    (block,) = config_of(f"policy:\n  prompt-injection:{value}\n").policy
    assert block.policy == KNOWN["prompt-injection"]()


def test_two_spellings_of_one_key_must_agree() -> None:
    same = "gateway: {connection_pool: {idle_timeout: 1s, idle-timeout: 1000ms}}"
    assert errors_of(same) == []
    assert errors_of(same.replace("1000", "2000")) == [("given_twice", "idle-timeout")]


def test_two_spellings_of_one_kind_must_agree() -> None:
    same = "policy: {pii-detector: {pci_mode: true}, pii_detector: {pci_mode: true}}"
    assert errors_of(same) == []
    differ = same.replace("true}}", "false}}")
    assert errors_of(differ) == [("given_twice", "pii_detector")]


@pytest.mark.parametrize(
    ("flags", "decided"),
    [
        ("", None),
        ("fail_open: true", OnTrouble.ALLOW),
        ("fail-open: false", OnTrouble.BLOCK),
        ("fail_closed: true", OnTrouble.BLOCK),
        ("fail_closed: false", OnTrouble.ALLOW),
        ("fail_open: true, fail_closed: false", OnTrouble.ALLOW),
        ("fail_open: false, fail_closed: true", OnTrouble.BLOCK),
    ],
)
def test_the_flags_of_a_policy_decide_what_trouble_means(
    flags: str, decided: OnTrouble | None
) -> None:
    (block,) = config_of(f"policy: {{pii-detector: {{{flags}}}}}").policy
    assert block.on_trouble is decided


@pytest.mark.parametrize("both", ["true", "false"])
def test_flags_that_contradict_each_other_are_an_error(both: str) -> None:
    text = f"policy: {{pii-detector: {{fail_open: {both}, fail_closed: {both}, pci_mode: 1}}}}"
    assert errors_of(text) == [("trouble_contradiction", "fail_closed"), ("wrong_type", "1")]


def test_what_nothing_acts_on_is_warned_of_where_it_is_set() -> None:
    text = "gateway: {cache: {ttl: 1s, cache_when: {x: [1, ~]}}}"
    config, report = structured(text)
    assert config is not None
    warned = [text[one.span.start : one.span.end] for one in report.warnings]
    assert warned == ["ttl", "cache_when"]


def test_a_suggestion_is_a_key_that_is_not_given_yet() -> None:
    _, report = structured("gateway: {timeouts: {conect: 1s}}")
    assert report.errors[0].hint == "did you mean 'connect'?"
    _, report = structured("gateway: {timeouts: {connect: 1s, conect: 1s}}")
    assert report.errors[0].hint is None


@pytest.mark.parametrize(
    ("pattern", "place"),
    [("'a(?=b)'", "(?="), ('"a(?=b)"', "(?="), ("a(?=b)", "(?="), (r'"a\x28?=b)"', r"\x28?=")],
)
def test_a_problem_in_a_pattern_points_into_it_however_it_is_written(
    pattern: str, place: str
) -> None:
    text = f"policy:\n  pii-detector:\n    detect_patterns:\n      - {pattern}\n"
    assert errors_of(text) == [("pattern.lookaround", place)]


def test_a_problem_in_a_text_of_several_lines_points_into_its_line() -> None:
    text = "policy: {pii-detector: {detect_patterns: ['a\n\n  (?=b)']}}"
    assert errors_of(text) == [("pattern.lookaround", "(?=")]


@attrs.frozen(kw_only=True)
class Inner:
    """A nested record."""

    word: Word = Word.ONE


@attrs.frozen(kw_only=True)
class Everything:
    """Every type that a kind's field may have."""

    truth: bool = False
    whole: int = 0
    number: float = 0.0
    text: str = ""
    texts: tuple[str, ...] = ()
    word: Word = Word.ONE
    maybe: float | None = None
    inner: Inner = Inner()
    inners: tuple[Inner, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    refused: Text | None = setting(refused="literal_secret")  # noqa: RUF009


def test_every_type_of_field_that_a_kind_may_have_is_read() -> None:
    text = (
        "{truth: true, whole: 1, number: 2, text: x, texts: [a, b], word: two-words, maybe: 0.5,"
        " inner: {word: two_words}, inners: [{}], pairs: {b: '2', a: '1'}}"
    )
    node, report = value_of(text)
    assert Structurer(report, KNOWN).read(node, Everything) == Everything(
        truth=True,
        whole=1,
        number=2.0,
        text="x",
        texts=("a", "b"),
        word=Word.TWO,
        maybe=0.5,
        inner=Inner(word=Word.TWO),
        inners=(Inner(),),
        pairs=(("a", "1"), ("b", "2")),
    )


def test_nothing_is_a_value_only_where_a_field_may_be_left_open() -> None:
    node, report = value_of("{maybe: ~, whole: ~, pairs: ~, texts: ~}")
    with pytest.raises(Rejected):
        Structurer(report, KNOWN).read(node, Everything)
    assert [one.name for one in report.errors] == ["wrong_type"] * 3


def test_a_key_that_must_not_be_set_is_refused_before_it_is_read() -> None:
    node, report = value_of("{refused: [not, a, string]}")
    with pytest.raises(Rejected):
        Structurer(report, KNOWN).read(node, Everything)
    assert [one.name for one in report.errors] == ["literal_secret"]
