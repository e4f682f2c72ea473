"""What a plan file may say about who may ask."""

import attrs
import pytest

from kt.compiler.pipeline import compile_source
from kt.plan import (
    Access,
    ConsumerGroup,
    Cors,
    Networks,
    RateLimit,
    Scope,
    SecretFrom,
    SecretRef,
    Unit,
)
from kt.planfile.access import access_problems
from kt.planfile.document import read_plan, write_plan
from kt.source import Source

LIMIT = RateLimit(scope=Scope.ALL, unit=Unit.REQUESTS, most=1, seconds=1)
CORS = Cors(
    origins=("*",), methods=("GET",), headers=("*",), exposed=(), credentials=False, max_age=None
)
RED = ConsumerGroup(
    name="red", keys=("0" * 64,), secrets=(SecretRef(source=SecretFrom.ENV, name="RED"),)
)
WHOLE = Access(
    groups=(RED,),
    networks=Networks(cidrs=("10.0.0.0/8", "::1/128")),
    rate_limits=(LIMIT, attrs.evolve(LIMIT, scope=Scope.GROUP, group="red")),
    cors=CORS,
)


def test_what_the_compiler_writes_is_accepted() -> None:
    assert list(access_problems(WHOLE)) == []


BROKEN = {
    "a group is given twice": Access(groups=(RED, RED)),
    "keys: not the SHA-256": Access(groups=(attrs.evolve(RED, keys=("kt_cg_red",)),)),
    "not the name of a secret": Access(
        groups=(attrs.evolve(RED, secrets=(SecretRef(source=SecretFrom.ENV, name="a/b"),)),)
    ),
    "no limit in a window": Access(rate_limits=(attrs.evolve(LIMIT, seconds=0),)),
    "rate_limits: too many proxies": Access(rate_limits=(attrs.evolve(LIMIT, proxies=-1),)),
    "of no group": Access(rate_limits=(attrs.evolve(LIMIT, scope=Scope.GROUP, group="x"),)),
    "not the name of a header": Access(rate_limits=(attrs.evolve(LIMIT, headers=("a b",)),)),
    "networks: too many proxies": Access(networks=Networks(cidrs=(), proxies=99)),
    "not a network": Access(networks=Networks(cidrs=("10.0.0.1/8",))),
    "'*' with credentials": Access(cors=attrs.evolve(CORS, credentials=True)),
    "not an origin": Access(cors=attrs.evolve(CORS, origins=("a\r\nb",))),
    "header or a method": Access(cors=attrs.evolve(CORS, exposed=("a\r\nb",))),
}


@pytest.mark.parametrize("said", BROKEN)
def test_what_cannot_be_bound_says_why(said: str) -> None:
    assert said in " ".join(access_problems(BROKEN[said]))


def test_access_comes_back_from_a_file() -> None:
    text = "providers: {targets: [{id: openai}]}"
    whole = attrs.evolve(compile_source(Source("kt.yaml", text)).plan, access=WHOLE)
    assert read_plan(write_plan(whole), "plan.json").access == WHOLE
