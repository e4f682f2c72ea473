"""Views: the same thing as text and as data, in the order of the table."""

import json

from kt.cli.views import STAGES, VIEWS, as_json, as_text, stage_view
from kt.compiler import compile_source
from kt.source import Source
from tests.support.config_strategies import WHOLE

COMPILED = compile_source(Source("kt.yaml", WHOLE))


def test_texts_follow_each_other_and_data_is_one_document() -> None:
    views = tuple(VIEWS.values())
    assert as_text(views, COMPILED) == "".join(view.text(COMPILED) for view in views)
    document = json.loads(as_json(views, COMPILED))
    assert list(document) == ["format", "digest", *VIEWS]
    assert document["digest"] == COMPILED.plan.digest


def test_the_document_is_the_same_every_time() -> None:
    views = tuple(VIEWS.values())
    assert as_json(views, COMPILED) == as_json(views, COMPILED)


def test_the_rows_of_a_table_are_as_many_as_those_of_its_data() -> None:
    document = json.loads(as_json(VIEWS.values(), COMPILED))
    for name, more in (("failures", 1), ("patterns", None), ("metrics", 1)):
        lines = VIEWS[name].text(COMPILED).count("\n")
        expected = len(document[name]) + (1 if more else 2 + len(COMPILED.plan.rule_lists))
        assert lines == expected, name


def test_a_stage_is_data_for_people_too() -> None:
    for name in STAGES:
        assert isinstance(json.loads(stage_view(name).text(COMPILED)), dict)
