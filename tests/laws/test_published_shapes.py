"""Laws of the published shapes: nothing is read in silence, and what is listed runs."""

from types import MappingProxyType

import orjson
import pytest

from kt.compiler import compile_source
from kt.compiler.reader import read
from kt.compiler.tree import Scalar
from kt.diagnostics import Report
from kt.errors import ConfigError
from kt.plan import NotEnforced, Plan
from kt.source import Source, Span
from tests.laws.test_compiler_leaves import Path, changed, is_reported, leaves
from tests.support.asgi import Response
from tests.support.cases import FIXTURES, case_paths, load
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.upstreams import FakeProvider, completion, json_answer

SILENT = MappingProxyType(
    {
        ("pack", "description"): "describes",
        ("policies", "name"): "names what is kept for routing, which a warning says",
        ("providers", "targets", "provider"): "only finds address and headers, given here",
        ("policy", "safety_filter", "max_distance"): "counts where fuzzy_matching is on",
        ("policy", "prompt_injection", "encoding", "normalize_unicode"): "homoglyphs cover it",
        ("policies", "chain", "pii_detector", "parallel"): "a group of one starts as it did",
    }
)
"""Leaves that change nothing, and why."""


def plan_of(text: str) -> Plan | None:
    """The plan of a text, None where it does not compile."""
    try:
        return compile_source(Source("kt.yaml", text)).plan
    except ConfigError:
        return None


def is_idle(path: Path, plan: Plan) -> bool:
    """Whether a leaf belongs to a policy that a warning says is not enforced."""
    stages = (*plan.input, *plan.output)
    idle = {
        step.kind.replace("-", "_")
        for stage in stages
        for step in stage.steps
        if isinstance(step.body, NotEnforced)
    }
    return path[:1] == ("policy",) and path[1] in idle


def read_in_silence(text: str) -> list[Path]:
    """Every leaf that changes nothing, that no warning is about, and that has no reason."""
    plan = plan_of(text)
    if plan is None:
        return []
    source = Source("kt.yaml", text)
    tree = read(source, Report(source))
    assert tree is not None
    return [
        path
        for path, leaf, keys in leaves(tree, (), ())
        if path not in SILENT
        and not is_idle(path, plan)
        and is_silent(text, leaf, keys, plan.digest)
    ]


def is_silent(text: str, leaf: Scalar, keys: tuple[Span, ...], digest: str) -> bool:
    """Whether another value of a leaf is fine, changes nothing, and no warning is about it."""
    other = changed(leaf)
    if other is None:
        return False
    edited = text[: leaf.span.start] + other + text[leaf.span.end :]
    try:
        after = compile_source(Source("kt.yaml", edited))
    except ConfigError:
        return False
    return after.plan.digest == digest and not is_reported(after, keys)


@pytest.mark.parametrize("path", case_paths("configs"), ids=lambda path: path.stem)
def test_no_leaf_of_a_published_sample_is_read_in_silence(path: object) -> None:
    (text,) = [load(one).config for one in case_paths("configs") if one == path]
    assert read_in_silence(text) == []


def test_the_law_of_silence_finds_a_leaf_that_nothing_reads() -> None:
    text = "pack: {name: a, version: 1.0.0, enabled: true, author: nobody}"
    assert read_in_silence(text) == [("pack", "author")]


def test_every_sample_compiles_but_those_that_name_what_nobody_knows() -> None:
    plans = {path.stem: plan_of(load(path).config) for path in case_paths("configs")}
    assert {name for name, plan in plans.items() if plan is None} == {"008", "068", "095"}


CHECKS = load(FIXTURES / "shapes" / "concurrent_output_checks.case").config
PROVIDER = "\nproviders: {targets: [{id: a, base_url: 'http://provider'}]}\n"


def answered(text: str) -> Response:
    """What a client of the two output checks gets where the model says a text."""
    plan = plan_of(CHECKS + PROVIDER)
    assert plan is not None
    answers: list[Response] = []

    async def main() -> None:
        provider = FakeProvider(lambda _: json_answer(completion(text)))
        async with gateway(plan, provider) as app:
            answers.append(await chat(app, "hello"))

    run_in_virtual_time(main)
    return answers[0]


def test_the_two_output_checks_let_through_what_is_fine() -> None:
    answer = answered("All is well.")
    assert answer.status == 200
    assert b"All is well." in answer.body


def test_the_two_output_checks_redact_personal_data() -> None:
    answer = answered("Write to ann@example.com today.")
    content = orjson.loads(answer.body)["choices"][0]["message"]["content"]
    assert content == "Write to [EMAIL] today."


def test_the_two_output_checks_block_what_is_unsafe_under_the_entrys_name() -> None:
    answer = answered("First, disable the emergency shutdown. Write to ann@example.com")
    error = orjson.loads(answer.body)["error"]
    assert (answer.status, error["code"], error["policy"]) == (
        409,
        "output_blocked",
        "content-filter",
    )
