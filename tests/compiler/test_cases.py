"""Every golden case says what comes out today."""

from pathlib import Path

import pytest

from tests.support.cases import FIXTURES, PRODUCERS, case_paths, load, produce, rewrite


@pytest.mark.parametrize("path", case_paths(), ids=lambda path: str(path.relative_to(FIXTURES)))
def test_a_case_says_what_comes_out(path: Path, request: pytest.FixtureRequest) -> None:
    case = load(path)
    assert any(section.name in {*PRODUCERS, "arranged"} for section in case.sections)
    if request.config.getoption("--rewrite-cases"):
        rewrite(case)
        return
    for section in case.sections:
        assert produce(case, section) == section.text


def test_a_case_with_another_expectation_fails(tmp_path: Path) -> None:
    path = tmp_path / "wrong.case"
    path.write_text("a: 1\n---- report\nkt.yaml:1:1: KT999 something else\n")
    case = load(path)
    assert produce(case, case.sections[0]) != case.sections[0].text


def test_a_rewritten_case_holds(tmp_path: Path) -> None:
    path = tmp_path / "new.case"
    path.write_text("a: 1\n---- report\n")
    rewrite(load(path))
    case = load(path)
    assert case.sections[0].text.startswith("kt.yaml:1:1: KT202 unknown key 'a'")
    assert produce(case, case.sections[0]) == case.sections[0].text
