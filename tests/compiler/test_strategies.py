"""Words for how a target is chosen."""

import pytest

from kt.compiler import compile_source
from kt.compiler.strategies import SYNONYMS, WORDS, strategy_of
from kt.errors import ConfigError
from kt.routing.values import PERFORMED, Strategy
from kt.source import Source

TEXT = "providers: {{targets: [{{id: openai, provider: openai}}], {where}}}"
PLACES = ("strategy: {word}", "routing: {{strategy: {word}}}")


def outcome(text: str) -> tuple[Strategy, list[str]]:
    """The strategy of a text, and what is warned of."""
    compiled = compile_source(Source("kt.yaml", text))
    return compiled.plan.routing.strategy, [one.name for one in compiled.report.warnings]


def test_every_strategy_is_known_by_its_name_in_both_spellings() -> None:
    for one in Strategy:
        assert strategy_of(one.value) is strategy_of(one.value.replace("_", "-")) is one
    assert set(WORDS) == {*(one.value for one in Strategy), *SYNONYMS}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("word", WORDS)
def test_a_strategy_is_in_the_plan_and_warned_of_where_nothing_performs_it(
    word: str, place: str
) -> None:
    strategy, warnings = outcome(TEXT.format(where=place.format(word=word)))
    assert strategy is strategy_of(word)
    assert warnings == ([] if strategy in PERFORMED else ["strategy_not_enforced"])


def test_without_a_word_targets_are_asked_as_declared() -> None:
    assert outcome(TEXT.format(where="fallback: {}")) == (Strategy.ORDERED, [])


@pytest.mark.parametrize(("word", "hint"), [("orderd", "did you mean 'ordered'?"), ("zz", "use ")])
def test_a_word_that_is_no_strategy_is_an_error(word: str, hint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        outcome(TEXT.format(where=f"strategy: {word}"))
    (error,) = raised.value.report.errors
    assert error.name == "unknown_word"
    assert (error.hint or "").startswith(hint)
