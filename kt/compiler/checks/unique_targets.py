"""Demand that no two targets have the same id."""

from kt.compiler.blocks import Kinds
from kt.compiler.fields import Text
from kt.compiler.model import Config
from kt.diagnostics import Related, Report


def unique_targets(config: Config, kinds: Kinds, report: Report) -> None:
    """Report every id after the first that is the same."""
    first: dict[str, Text] = {}
    for target in config.providers.targets:
        known = first.setdefault(target.id.value, target.id)
        if known is not target.id:
            related = (Related("first given", known.span),)
            word = target.id.value
            report.add("duplicate_target", target.id.span, word=word, related=related)
