"""Variables: what is filled in, what it then means, and what is never filled in."""

import re
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.compiler import Compiled, Settings, compile_source
from kt.compiler.reader import read
from kt.compiler.tree import Map, Node, Seq
from kt.compiler.variables import ESCAPED, MAX_FILLED, OPENING, Filled, fill
from kt.diagnostics import Report
from kt.errors import ConfigError
from kt.explain import explain_text
from kt.plan import SecretFrom, SecretRef, canonical_json
from kt.source import Source


def compiled(text: str, **environment: str) -> Compiled:
    return compile_source(Source("kt.yaml", text), Settings(environment=environment))


def errors_of(text: str, **environment: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as raised:
        compiled(text, **environment)
    found = raised.value.report.errors
    return [(one.name, text[one.span.start : one.span.end]) for one in found]


def filled_with(text: str, **environment: str) -> object:
    """What the value of the key `a` comes to."""
    source = Source("kt.yaml", text)
    report = Report(source)
    tree = report.checked(read(source, report))
    entry = report.checked(fill(tree, environment, report)).tree.get("a")
    assert entry is not None
    return getattr(entry.value, "value", entry.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: ${X}", "x"),
        ("a: '${X}'", "x"),
        ("a: before ${X} after ${X}", "before x after x"),
        ("a: ${NOT_SET:-default}", "default"),
        ("a: ${EMPTY:-default}", "default"),
        ("a: ${EMPTY}", ""),
        ("a: ${NOT_SET:-}", ""),
        ("a: ${X:-default}", "x"),
        ("a: ${NUMBER}", 41002),
        ('a: "${NUMBER}"', 41002),
        ("a: ${YES}", True),
        ("a: ${NULL}", "null"),
        ("a: ${LONG}", "9" * 200),
        ("a: $${X} $$ $", "${X} $$ $"),
        ("a: ${X}$${X}", "x${X}"),
        ("a: ${LINES}", "b: 1\n- c"),
        ("a: ^x$", "^x$"),
    ],
)
def test_a_value_is_filled_and_stays_one(text: str, value: object) -> None:
    environment = {"X": "x", "EMPTY": "", "NUMBER": "41002", "YES": "true", "NULL": "null"}
    environment |= {"LONG": "9" * 200, "LINES": "b: 1\n- c"}
    assert filled_with(text, **environment) == value


def test_what_is_filled_in_is_read_as_its_key_needs_it() -> None:
    plan = compiled(
        "pack: {name: '${N}', version: '${V}', enabled: '${E}'}\n"
        "gateway: {listen_port: '${P}', timeouts: {connect: '${D}'}}\n",
        N="true",
        V="1.0",
        E="true",
        P="8080",
        D="2s",
    ).plan
    assert (plan.name, plan.version, plan.enabled, plan.listen_port) == ("true", "1.0", True, 8080)
    assert plan.timeouts.connect.seconds == 2


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("a: ${X}", [("unset_variable", "${X}")]),
        ("a: [1, '${X}', '${Y}']", [("unset_variable", "'${X}'"), ("unset_variable", "'${Y}'")]),
        *(
            (f"a: '{wrong}'", [("interpolation", f"'{wrong}'")])
            for wrong in ("${}", "${", "${1}", "${A", "${A-b}", "${A:-${B}}", "${ A}", "x ${A.b}")
        ),
        ("a: ${CONTROL}", [("forbidden_character", "${CONTROL}")]),
        ("a: ${UNDECODABLE}", [("forbidden_character", "${UNDECODABLE}")]),
        ("a: ${HALF}${HALF}${HALF}", [("too_large", "${HALF}${HALF}${HALF}")]),
        ("a: ${API_KEY}", [("secret_variable", "${API_KEY}")]),
        ("a: x ${my_token} y", [("secret_variable", "x ${my_token} y")]),
        ("a: ${DB_PASSWORD:-none}", [("secret_variable", "${DB_PASSWORD:-none}")]),
        ("gateway: {listen_port: '${WORD}'}", [("wrong_type", "'${WORD}'")]),
    ],
)
def test_what_cannot_be_filled_is_an_error_there(text: str, errors: list[tuple[str, str]]) -> None:
    environment = {"CONTROL": "\x1b[31m", "UNDECODABLE": "\udcff", "WORD": "word"}
    environment |= {"HALF": "x" * (MAX_FILLED // 2), "API_KEY": "k", "DB_PASSWORD": "p"}
    assert errors_of(text, **environment) == errors


def test_a_reference_in_braces_without_quotes_says_what_to_do() -> None:
    with pytest.raises(ConfigError) as raised:
        compiled("gateway: {listen_port: ${PORT}}")
    (error,) = raised.value.report.errors
    assert error.hint == "inside braces and brackets, quote a value with a '${'"


TARGET = "providers: {targets: [{id: openai, %s}]}"


@pytest.mark.parametrize("written", ["api_key: '${K}'", "provider: {api_key: '${K}'}"])
def test_a_key_from_a_variable_is_a_reference_and_never_its_value(written: str) -> None:
    made = compiled(TARGET % written, K="sk-live-1")
    (target,) = made.plan.targets
    assert target.secret == SecretRef(source=SecretFrom.ENV, name="K")
    assert b"sk-live-1" not in canonical_json(made.plan)
    assert "sk-live-1" not in explain_text(made.plan) + repr(made)
    assert made.plan.variables == ()


@pytest.mark.parametrize(
    ("written", "errors"),
    [
        ("api_key: sk-live-1", [("literal_secret", "sk-live-1")]),
        ("api_key: '${K:-sk-live-1}'", [("literal_secret", "'${K:-sk-live-1}'")]),
        ("api_key: 'Bearer ${K}'", [("literal_secret", "'Bearer ${K}'")]),
        ("secret_key_ref: {env: '${K}'}", [("bad_secret_name", "'${K}'")]),
        ("api_key: '${K}', secret_key_ref: {env: L}", [("given_twice", "secret_key_ref")]),
    ],
)
def test_a_secret_that_is_no_reference_is_an_error_that_does_not_show_it(
    written: str, errors: list[tuple[str, str]]
) -> None:
    assert errors_of(TARGET % written, K="sk-live-2", L="sk-live-2") == errors
    with pytest.raises(ConfigError) as raised:
        compiled(TARGET % written, K="sk-live-2")
    assert "sk-live" not in raised.value.report.show()


def test_the_same_reference_twice_and_a_callbacks_secret_are_references() -> None:
    twice = "api_key: '${K}', secret_key_ref: {env: K}"
    assert compiled(TARGET % twice).plan.targets[0].secret is not None
    compiled("callbacks: [{type: langfuse, secret_key: '${K}'}]")


def test_a_kinds_secret_stays_a_reference() -> None:
    text = "policy: {embedding-detector: {api_key: '${EMBEDDING_API_KEY}'}}"
    assert "sk-live-1" not in repr(compiled(text, EMBEDDING_API_KEY="sk-live-1"))


def test_the_plan_says_which_variables_it_took_and_where() -> None:
    text = "gateway:\n  listen_port: ${P:-1}\npolicies:\n  chain: ['${K}']\n"
    one, other = compiled(text, K="rbac", P="1").plan, compiled(text, K="rbac").plan
    assert one.variables == ("P at kt.yaml:2:16", "K at kt.yaml:4:11")
    assert other.variables[0] == "P (default) at kt.yaml:2:16"
    assert one.digest == other.digest
    assert "P (default) at kt.yaml:2:16" in explain_text(other)
    assert one.digest != compiled(text, K="rbac", P="2").plan.digest


def shape(node: Node) -> object:
    """The maps, lists and keys of a tree, without its values."""
    if isinstance(node, Map):
        return [(one.key.text, one.key.span, shape(one.value)) for one in node.entries]
    if isinstance(node, Seq):
        return [shape(item) for item in node.items]
    return node.span


Fill = Callable[[Map, Mapping[str, str], Report], Filled | None]

TEXT = "a: ${A}\nb: ['x ${B:-c}', {d: \"$${A} ${A}${B}\", '${A}': 1}]\nsecret_key: ${A}\n"


def check_shape(fill_tree: Fill, environment: Mapping[str, str]) -> None:
    """Fill a text; only values may be others, and what holds a secret stays as it is."""
    source = Source("kt.yaml", TEXT)
    tree = read(source, Report(source))
    assert tree is not None
    filled = fill_tree(tree, environment, Report(source))
    if filled is None:
        return
    assert shape(filled.tree) == shape(tree)
    assert filled.tree.get("secret_key") == tree.get("secret_key")


values = st.one_of(st.text(max_size=20), st.sampled_from(["a: 1", "- b", "${A}", "1", "null", ""]))


@given(st.dictionaries(st.sampled_from("AB"), values))
def test_filling_never_changes_the_shape(environment: Mapping[str, str]) -> None:
    check_shape(fill, environment)


def test_the_law_of_shapes_finds_one_that_replaces_in_the_text() -> None:
    def planted(tree: Map, environment: Mapping[str, str], report: Report) -> Filled:
        text = re.sub(r"\$\{(A)\}", lambda one: environment[one[1]], report.source.text)
        again = read(Source("kt.yaml", text), report)
        assert again is not None
        return Filled(again, ())

    with pytest.raises(AssertionError):
        check_shape(planted, {"A": "{b: 1}"})


@given(st.text(alphabet="${}A:-x", max_size=12))
def test_an_escaped_text_is_what_it_was(text: str) -> None:
    written = text.replace(OPENING, ESCAPED)
    if "$${" in text or text.endswith("$"):
        return  # a dollar before an escape is a dollar and an escape
    if isinstance(filled_with(f"a: '{written}'"), str):
        assert filled_with(f"a: '{written}'") == text


EVERYWHERE = """
pack: {name: '${A}', version: '${A}', enabled: '${A}'}
policies: {chain: ['${A}', {pii-detector: {action: '${A}', when: '${A}', name: '${A}'}}]}
policy: {dlp-filter: {blocked_terms: ['${A}'], detect_patterns: ['${A}'], max_distance: '${A}'}}
providers: {targets: [{id: '${A}', base_url: 'http://${A}', api_key_prefix: '${A}'}]}
gateway: {listen_port: '${A}', timeouts: {connect: '${A}'}, buffers: {streaming_buffer: '${A}'}}
"""


@given(st.one_of(st.text(), values, st.sampled_from(["5s", "4kb", "rbac", "(", "9" * 400, ".inf"])))
def test_any_value_of_a_variable_gives_a_plan_or_diagnostics(value: str) -> None:
    for line in EVERYWHERE.strip().split("\n"):
        try:
            report = compiled(line, A=value).report
        except ConfigError as error:
            report = error.report
            assert report.errors
        report.show().encode()
