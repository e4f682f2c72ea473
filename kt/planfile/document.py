"""The plan as a file: one canonical JSON document with its format and its digest.

In: a plan, or the bytes of a file. Out: the other one. Raises UsageError for a file that is no plan
of this format, that was changed, that another `kt` made, or that cannot be run; never anything
else, whatever the bytes.
"""

import json
from typing import Any, NoReturn

import attrs

from kt.compiler.engines import Versions, installed_engines, rule_lists
from kt.errors import UsageError
from kt.plan import FORMAT, Plan, canonical_json
from kt.planfile.structure import Misfit, structure
from kt.planfile.usable import unusable

MAX_BYTES = 64 * 2**20
"""Of a plan file; the largest configuration compiles to a tenth of it."""
MAX_LEVELS = 200
"""Of nested arrays and objects."""

AGAIN = "compile the configuration again: kt config compile FILE -o PLAN"

Json = Any  # Any: JSON is any shape


@attrs.frozen(kw_only=True)
class PlanDocument:
    """What stands in a plan file."""

    format: int
    digest: str
    plan: Plan


def write_plan(plan: Plan) -> bytes:
    """The plan as a document: equal plans give equal bytes."""
    return canonical_json(PlanDocument(format=FORMAT, digest=plan.digest, plan=plan))


def read_plan(data: bytes, name: str) -> Plan:
    """The plan of a file's bytes; `name` is what messages call it. Raises UsageError."""
    value = _parsed(data, name)
    _demand_format(value, name)
    try:
        document = structure(value, PlanDocument)
    except Misfit as misfit:
        raise UsageError(f"{name} is not a plan: {misfit}", AGAIN) from None
    plan = document.plan
    if plan.digest != document.digest:
        raise UsageError(f"{name} was changed: its digest is not that of its plan", AGAIN)
    _demand_same("engine", plan.engines, installed_engines(), name)
    _demand_same("rule list", plan.rule_lists, rule_lists(), name)
    if (problem := unusable(plan)) is not None:
        raise UsageError(f"{name} cannot be run: {problem}", AGAIN)
    return plan


def _parsed(data: bytes, name: str) -> Json:
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name} is larger than a plan can be", AGAIN)
    try:
        value = json.loads(data, object_pairs_hook=_once, parse_constant=_not_json)
    except (ValueError, RecursionError):
        raise UsageError(f"{name} is not a plan: it is not JSON", AGAIN) from None
    if _is_deeper(value, MAX_LEVELS):
        raise UsageError(f"{name} is not a plan: it is nested too deep", AGAIN)
    return value


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _not_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _is_deeper(value: Json, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return not levels or any(_is_deeper(one, levels - 1) for one in inner)


def _demand_format(value: Json, name: str) -> None:
    """First of all, since nothing else of a later format need be understood."""
    found = value.get("format") if isinstance(value, dict) else None
    if type(found) is not int:
        raise UsageError(f"{name} is not a plan: it has no format", AGAIN)
    if found != FORMAT:
        raise UsageError(f"{name} has the format {found}; this kt reads {FORMAT}", AGAIN)


def _demand_same(what: str, made: Versions, installed: Versions, name: str) -> None:
    for word, here in installed:
        there = dict(made).get(word)
        if there != here:
            found = "without it" if there is None else f"with {there[:12]}"
            message = f"{name} was made by another kt: the {what} {word} is {here[:12]} here"
            raise UsageError(f"{message}, it was made {found}", AGAIN)
    if made != installed:
        raise UsageError(f"{name} was made by another kt: it has an unknown {what}", AGAIN)
