"""Golden cases: load, run, rewrite the .case files under fixtures/.

A case is a configuration, then sections that start with a line `---- name argument`. The name says
what is compared with the section's text: `report` (all findings), `explain` (the plan as text),
`order` (what the optimizer changed), `arranged` (the same where the case is no configuration but a
program in words, see `programs`). `---- repeated N` gives the text N times to the compiler.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import attrs

from kt.compiler import Compiled, compile_source
from kt.diagnostics import Report
from kt.errors import ConfigError
from kt.explain import explain_text
from kt.source import Source
from tests.support.programs import arranged

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
NAME = "kt.yaml"

_SECTION = re.compile(r"^---- (\w+) ?(.*)\n", re.MULTILINE)


@attrs.frozen
class Section:
    """What must come out, under the name of what makes it."""

    name: str
    argument: str
    text: str


@attrs.frozen
class Case:
    """One story: a configuration and what must come out of it."""

    path: Path
    config: str
    sections: tuple[Section, ...]

    @property
    def text(self) -> str:
        """What the compiler gets."""
        times = [int(one.argument) for one in self.sections if one.name == "repeated"]
        return self.config * (times[0] if times else 1)


def case_paths(folder: str = "") -> list[Path]:
    """Every case under a folder of fixtures/, in a fixed order."""
    return sorted((FIXTURES / folder).rglob("*.case"))


def load(path: Path) -> Case:
    """Read a case file."""
    parts = _SECTION.split(path.read_bytes().decode())
    sections = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    return Case(path, parts[0], tuple(Section(*section) for section in sections))


def compile_case(case: Case) -> tuple[Compiled | None, Report]:
    """Compile a case's configuration; None where it has errors."""
    try:
        compiled = compile_source(Source(NAME, case.text))
    except ConfigError as error:
        return None, error.report
    return compiled, compiled.report


def produce(case: Case, section: Section) -> str:
    """What comes out today for one section."""
    if section.name == "arranged":
        return arranged(case.config)
    if section.name not in PRODUCERS:
        return section.text
    compiled, report = compile_case(case)
    return PRODUCERS[section.name](compiled, report)


def rewrite(case: Case) -> None:
    """Write the case file with what comes out today."""
    parts = [case.config]
    for section in case.sections:
        heading = f"---- {section.name} {section.argument}".rstrip()
        parts.append(f"{heading}\n{produce(case, section)}")
    case.path.write_bytes("".join(parts).encode())


def _report(compiled: Compiled | None, report: Report) -> str:
    shown = report.show()
    return shown + "\n" if shown else ""


def _explain(compiled: Compiled | None, report: Report) -> str:
    """The explanation without what every change of a built-in rule would change."""
    if compiled is None:
        return _report(compiled, report)
    text = explain_text(compiled.plan)
    text = re.sub(r"^(digest|engines) .*", r"\1 ...", text, flags=re.MULTILINE)
    text = re.sub(r"^rules .*\n|^held of .*\n(?:  .*\n)*", "", text, flags=re.MULTILINE)
    return re.sub(r" +\d+ rules?(, holds (?:at most|up to the cap) \w+)?", r"  N rules", text)


def _order(compiled: Compiled | None, report: Report) -> str:
    if compiled is None:
        return _report(compiled, report)
    lines = []
    for change in compiled.trace:
        before, after = ", ".join(change.before), ", ".join(change.after)
        lines.append(f"{change.rule} {change.phase.value}: {before} -> {after}\n")
    return "".join(lines) or "unchanged\n"


PRODUCERS: Mapping[str, Callable[[Compiled | None, Report], str]] = MappingProxyType(
    {"report": _report, "explain": _explain, "order": _order}
)
