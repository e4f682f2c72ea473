"""What a plan must be to be run: every reason is found, and what passes can be bound."""

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.compiler import compile_source
from kt.filters.forms import Form, Kind
from kt.filters.syntax import Comparison, Exists, Field, Filter, Operator
from kt.plan import Ask, NotEnforced, Plan, SecretFrom, SecretRef, Stage, to_data
from kt.planfile.structure import Misfit, structure
from kt.planfile.usable import unusable
from kt.policy import Cost, Phase, Rule
from kt.source import Source
from tests.support.config_strategies import WHOLE
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.plans import ASK, ask_step, limit, plan, record_step, scan_step, target
from tests.support.upstreams import FakeProvider, completion, json_answer

ASKS = scan_step("asks", "a", phase=Phase.INPUT)
TARGET = target()


def scanning(**fields: Any) -> Plan:
    """A plan whose one scan is changed."""
    return plan(attrs.evolve(ASKS, body=attrs.evolve(ASKS.body, **fields)))


def when(tree: Filter) -> Plan:
    """A plan whose one step has a condition."""
    return plan(attrs.evolve(ASKS, when=tree))


def asked(**fields: Any) -> Plan:
    """A plan whose one target is changed."""
    return plan(targets=(attrs.evolve(TARGET, **fields),))


def field(name: str) -> Field:
    """A field of a filter."""
    return Field(name, None, Form(Kind.TEXT))


UNUSABLE: dict[str, tuple[Plan, str]] = {
    "phase": (attrs.evolve(plan(), input=(Stage(steps=(scan_step("a", "a"),)),)), "not belong"),
    "body": (plan(attrs.evolve(record_step(), phase=Phase.INPUT)), "not belong"),
    "audit": (plan(attrs.evolve(ASKS, phase=Phase.AUDIT)), "not belong"),
    "empty stage": (attrs.evolve(plan(), output=(Stage(steps=()),)), "without steps"),
    "one place": (plan(ASKS, attrs.evolve(ASKS, name="b")), "one declared place"),
    "pattern": (scanning(rules=(Rule(id="r", pattern="(a"),)), "rule 'r': "),
    "validator": (scanning(rules=(Rule(id="r", pattern="a", validator="x"),)), "rule 'r': "),
    "decode": (scanning(decode=("rot13",)), "unknown encoding"),
    "limit": (plan(attrs.evolve(ASKS, limit=limit(0.0))), "limit: "),
    "field": (when(Comparison(field("nothing"), Operator.EQUAL, "a")), "when: "),
    "type": (when(Comparison(field("request.model"), Operator.LESS, 1)), "when: "),
    "regex": (when(Comparison(field("request.model"), Operator.MATCHES, "(")), "when: "),
    "key": (when(Exists(Field("header", "X-Env", Form(Kind.TEXT)))), "when: not a condition"),
    "two targets": (plan(targets=(TARGET, TARGET)), "given twice"),
    "url": (asked(base_url="http://user:pw@host"), "base_url: "),
    "slash": (asked(base_url="http://host/"), "base_url: "),
    "secret": (asked(secret=SecretRef(source=SecretFrom.STORE, name="../x")), "secret: "),
    "header": (asked(api_key_header="a: b"), "api_key_header: "),
    "prefix": (asked(api_key_prefix="a\r\n"), "api_key_prefix: "),
    "pool": (asked(pool=attrs.evolve(TARGET.pool, max_connections=0)), "pool: "),
    "pool idle": (asked(pool=attrs.evolve(TARGET.pool, idle=limit(-1.0))), "pool.idle: "),
    "timeout": (plan(queue=1e300), "timeouts.queue: "),
    "slots": (plan(max_concurrent=0), "admission.max_concurrent: "),
    "user": (plan(per_user=0), "admission.per_user: "),
    "team": (plan(per_team=0), "admission.per_team: "),
    "size": (plan(hold=0), "sizes.stream_hold: "),
    "port": (attrs.evolve(plan(), listen_port=99999), "listen_port"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_cannot_be_run_says_why(name: str) -> None:
    whole, said = UNUSABLE[name]
    assert said in (unusable(whole) or "")


def test_what_the_compiler_makes_can_be_run() -> None:
    assert unusable(compile_source(Source("kt.yaml", WHOLE)).plan) is None
    idle = attrs.evolve(ASKS, body=NotEnforced(reason="not yet"))
    assert unusable(plan(idle, record_step(), max_queue=0)) is None


BASE = to_data(plan(ASKS, scan_step("out", r"b\d{3}"), record_step(), max_concurrent=2))
WORDS = (
    *("", "x", "a{", "\n", "http://", "input", "output", "audit", "network", "thread", "block"),
    *("redacted", "flag", "folded", "luhn", "partial"),
)
NUMBERS = (-1, 0, 1, 5, 10**30, 0.0, 1e-300, 1e300)
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, *NUMBERS, *WORDS, [], ["base64"], {}]
)


@given(data=st.data())
def test_what_passes_can_be_bound_and_meets_no_bug(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Change any one value: it is refused, or the gateway answers without a mistake of its own."""
    document = json.loads(json.dumps(BASE))
    at = document
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if not isinstance(at[key], dict | list) or not at[key]:
            break
        at = at[key]
    at[key] = data.draw(VALUES)
    try:
        whole = structure(document, Plan)
    except Misfit:
        return
    if unusable(whole) is not None or not whole.targets:
        return

    async def main() -> None:
        path = tmp_path_factory.getbasetemp() / "audit.jsonl"
        provider = FakeProvider(lambda _: json_answer(completion("b123 hello")))
        async with gateway(whole, provider, path) as app:
            assert (await chat(app, "a text")).status != 500

    run_in_virtual_time(main)


def test_the_first_problem_is_told() -> None:
    whole = plan(attrs.evolve(ASKS, limit=limit(-1.0)), queue=-1.0)
    assert unusable(whole) == "input 'asks': limit: not a time from now to thirty days"


SERVICE = ask_step("service", ASK)


def test_a_question_of_a_file_is_read_and_can_be_asked() -> None:
    asks = plan(SERVICE)
    assert structure(to_data(asks), Plan) == asks
    assert unusable(asks) is None


@pytest.mark.parametrize(
    "body",
    [
        attrs.evolve(ASK, endpoint="file:///etc/passwd"),
        attrs.evolve(ASK, endpoint="http://service/?key=secret"),
        attrs.evolve(ASK, endpoint=""),
        attrs.evolve(ASK, secret=SecretRef(source=SecretFrom.ENV, name="../x")),
    ],
)
def test_a_question_that_nobody_can_ask_is_found(body: Ask) -> None:
    assert unusable(plan(attrs.evolve(SERVICE, body=body))) is not None


def test_a_question_that_claims_to_wait_for_nothing_is_found() -> None:
    facts = attrs.evolve(SERVICE.facts, cost=Cost.INLINE)
    assert unusable(plan(attrs.evolve(SERVICE, facts=facts))) is not None
