"""Laws of the published shapes: nothing is read in silence, and what is listed runs."""

from pathlib import Path as FilePath
from types import MappingProxyType

import orjson
import pytest

from kt.compiler import compile_source
from kt.compiler.tree import Scalar
from kt.errors import ConfigError
from kt.plan import NotEnforced, Plan
from kt.policies import KINDS
from kt.source import Source, Span
from tests.laws.test_compiler_leaves import Path, changed, is_reported, leaves
from tests.policies.test_fields import full
from tests.support.asgi import Response
from tests.support.cases import FIXTURES, case_paths, load
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.upstreams import FakeProvider, completion, json_answer

SILENT = MappingProxyType(
    {
        ("pack", "description"): "describes",
        ("pack", "id"): "describes",
        ("policies", "description"): "describes",
        ("policies", "enabled"): "of an entry that is kept for routing, which a warning says",
        ("policies", "parallel_group"): "a group of one starts as it did",
        ("policies", "knowledge_base"): "a setting of a kind that a warning says is not enforced",
        ("policies", "name"): "names what is kept for routing, which a warning says",
        ("input_policies", "name"): "names what is kept for routing, which a warning says",
        ("output_policies", "name"): "names an entry that is switched off",
        **{
            ("output_policies", key): "a setting of a kind that a warning says is not enforced"
            for key in ("knowledge_base", "require_sources")
        },
        ("providers", "targets", "provider"): "only finds address and headers, given here",
        **{
            ("policy", kind, "max_distance"): "counts where fuzzy_matching is on"
            for kind in ("safety_filter", "dual_use_filter", "entity_list_filter")
        },
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
    steps = [step for stage in (*plan.input, *plan.output) for step in stage.steps]
    idle = {step.kind.replace("-", "_") for step in steps if isinstance(step.body, NotEnforced)}
    is_about_one = len({step.kind for step in steps}) == 1 and "pack" not in path
    return bool(idle) and (is_about_one or (path[:1] == ("policy",) and path[1] in idle))


def read_in_silence(text: str) -> list[Path]:
    """Every leaf that changes nothing, that no warning is about, and that has no reason."""
    try:
        before = compile_source(Source("kt.yaml", text))
    except ConfigError:
        return []
    return [
        path
        for path, leaf, keys in leaves(before.tree, (), ())
        if path not in SILENT
        and not is_idle(path, before.plan)
        and not is_reported(before, keys)
        and is_silent(text, leaf, keys, before.plan.digest)
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


SAMPLES = [*case_paths("configs"), *case_paths("published")]


OURS = [path for folder in ("shapes", "examples", "kinds") for path in case_paths(folder)]


@pytest.mark.parametrize("path", [*SAMPLES, *OURS], ids=lambda path: path.stem)
def test_no_leaf_of_a_sample_is_read_in_silence(path: FilePath) -> None:
    assert read_in_silence(load(path).config) == []


def test_the_law_of_silence_finds_a_leaf_that_nothing_reads() -> None:
    text = "pack: {name: a, version: 1.0.0, enabled: true, author: nobody}"
    assert read_in_silence(text) == [("pack", "author")]


def test_every_sample_compiles_but_those_that_name_what_nobody_knows() -> None:
    refused = {path.stem for path in SAMPLES if plan_of(load(path).config) is None}
    assert refused == {"068", *REFUSED}


REFUSED = MappingProxyType(
    {
        "callbacks_literal_secret": "a secret in the file",
        "chain_invented": "kinds that no catalog has",
        "includes": "policies of other files",
        "message_not_quoted": "no YAML",
        "pack_number_version": "a version that is a number",
        "pack_without_switch": "a pack without its switch",
        "rate_limit_without_window": "half a limit",
        "strategy_twice": "two strategies",
        "target_literal_key": "a secret in the file",
        "target_misspelled": "a misspelled provider",
        "target_same_id": "one id for two targets",
    }
)
"""What a careful reader would refuse too, and why."""


def in_every_shape(kind: str, block: dict[str, object]) -> list[dict[str, object]]:
    """One policy with all its settings, in each shape that can say them."""
    inside = {"name": "one", "type": kind}
    other = kind.replace("-", "_")
    return [
        {"policies": {"chain": [kind]}, "policy": {kind: block}},
        {
            "policies": {"chain": [other]},
            "policy": {other: block},
        },
        {"policies": {"chain": [{kind: block}]}},
        {"policies": [{**inside, **block}]},
        {"version": "1", "policies": [{**inside, "config": block}]},
        {"policies": [{"id": "one", "rules": [{"type": kind, **block}]}]},
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_means_the_same_in_every_shape(kind: str) -> None:
    plans = [plan_of(orjson.dumps(one).decode()) for one in in_every_shape(kind, full(KINDS[kind]))]
    first, *others = [None if plan is None else performed(plan) for plan in plans]
    assert first
    assert others == [first] * 5


def performed(plan: Plan) -> list[object]:
    """What every step of a plan does, and where."""
    steps = [step for stage in (*plan.input, *plan.output) for step in stage.steps]
    return [(step.kind, step.phase, step.body) for step in (*steps, *plan.audit)]


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
