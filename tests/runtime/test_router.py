"""Who is asked: groups, names of models, routes, and targets that cannot be asked."""

import attrs
import httpx
import orjson
import trio
from hypothesis import given
from hypothesis import strategies as st

from kt.plan import Plan
from kt.routing.values import (
    Member,
    ModelGroup,
    Renaming,
    Route,
    Routing,
    Strategy,
)
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.plans import condition, plan, target
from tests.support.routing import breaker, fallback
from tests.support.upstreams import Body, FakeProvider, completion, json_answer, stream_answer

TARGETS = (
    target("a", "http://a", model="big"),
    target("b", "http://b", model="small"),
    target("c", "http://c", model="tiny"),
)


def routed(rules: Routing) -> Plan:
    """Three targets, each with its model."""
    return attrs.evolve(plan(targets=TARGETS), routing=rules)


def group(name: str, *members: Member, then: str | None = None, **more: object) -> ModelGroup:
    """A group that is asked as declared."""
    return ModelGroup(name=name, strategy=Strategy.ORDERED, members=members, fallback=then, **more)  # type: ignore[arg-type]


def asked(
    whole: Plan, model: str, headers: dict[str, str] | None = None, fails: str = ""
) -> tuple[int, list[tuple[str, str]]]:
    """The status of a request for a model, and who was asked for which model."""
    provider = FakeProvider(lambda _: json_answer(completion("fine")))
    statuses = []

    def behave(request: httpx.Request) -> httpx.Response:
        host = request.url.host
        return json_answer({}, 503) if host in fails else json_answer(completion("fine"))

    provider.answer = behave

    async def main() -> None:
        async with gateway(whole, provider) as app:
            statuses.append((await chat(app, "hello", headers, model=model)).status)

    run_in_virtual_time(main)
    models = [(one.url.host, orjson.loads(one.content)["model"]) for one in provider.asked]
    return statuses[0], models


def test_without_groups_any_model_goes_to_the_first_target() -> None:
    assert asked(routed(Routing()), "whatever") == (200, [("a", "big")])


GROUPS = (
    group("fast", Member(target="b", model="small"), Member(target="c"), then="slow"),
    group("slow", Member(target="a", model="huge"), aliases=("sluggish",)),
)


def test_a_group_is_asked_by_its_name_and_falls_back_on_another() -> None:
    rules = Routing(groups=GROUPS, fallback=fallback())
    assert asked(routed(rules), "fast") == (200, [("b", "small")])
    assert asked(routed(rules), "sluggish") == (200, [("a", "huge")])
    assert asked(routed(rules), "fast", fails="bc") == (
        200,
        [("b", "small"), ("c", "fast"), ("a", "huge")],
    )


def test_with_groups_a_model_of_a_target_is_found_and_another_is_unknown() -> None:
    rules = Routing(groups=GROUPS)
    assert asked(routed(rules), "tiny") == (200, [("c", "tiny")])
    assert asked(routed(rules), "gpt-9") == (404, [])


def test_a_target_that_takes_any_model_takes_what_nobody_names() -> None:
    free = attrs.evolve(TARGETS[1], model=None)
    whole = attrs.evolve(routed(Routing(groups=GROUPS)), targets=(TARGETS[0], free))
    assert asked(whole, "gpt-9") == (200, [("b", "gpt-9")])


def test_each_target_gets_its_own_name_of_a_model() -> None:
    names = (
        Renaming(model="gpt", target="a", name="gpt-a"),
        Renaming(model="gpt", target="b", name="gpt-b"),
    )
    rules = Routing(renamings=names, fallback=fallback())
    assert asked(routed(rules), "gpt", fails="a") == (200, [("a", "gpt-a"), ("b", "gpt-b")])


def test_the_first_route_that_matches_decides() -> None:
    def route(name: str, when: str, to: str | None) -> Route:
        found = condition(when)
        assert found is not None
        return Route(name=name, when=found, target=to)

    rules = Routing(
        routes=(
            route("ours", 'user.team == "ours"', "c"),
            route("big", 'request.model == "gpt"', "b"),
        )
    )
    assert asked(routed(rules), "gpt", {"x-team": "ours"}) == (200, [("c", "tiny")])
    assert asked(routed(rules), "gpt") == (200, [("b", "small")])
    assert asked(routed(rules), "other") == (200, [("a", "big")])
    assert asked(routed(rules), "gpt", fails="b")[1] == [("b", "small")]


def test_a_stand_in_is_asked_only_after_all_others() -> None:
    last = Member(target="a", model="spare")
    rules = Routing(fallback=attrs.evolve(fallback(), last=last))
    assert asked(routed(rules), "gpt") == (200, [("b", "small")])
    assert asked(routed(rules), "gpt", fails="bc")[1][-1] == ("a", "spare")


def test_who_leaves_counts_neither_for_nor_against_a_target() -> None:
    whole = attrs.evolve(
        plan(targets=(attrs.evolve(TARGETS[0], breaker=breaker(failures=1)),)), routing=Routing()
    )
    provider = FakeProvider(lambda _: json_answer(completion("fine")), head_seconds=1000.0)

    async def main() -> None:

        async with gateway(whole, provider) as app:
            with trio.move_on_after(1.0):
                await chat(app, "hello")
            (health,) = app.endpoints.router.health.values()
            assert (health.asked, health.under_way, health.failed) == (1, 0, 0)
            assert health.state(trio.current_time()) == "closed"

    run_in_virtual_time(main)


def test_an_answer_that_is_cut_counts_against_its_target() -> None:
    rule = breaker(failures=1, cooldown=60.0)
    whole = plan(targets=(attrs.evolve(TARGETS[0], breaker=rule),))
    provider = FakeProvider(lambda _: stream_answer(Body([b"data: {"], is_cut=True)))

    async def main() -> None:
        async with gateway(whole, provider) as app:
            await chat(app, "hello", stream=True)
            assert (await chat(app, "hello")).status == 503

    run_in_virtual_time(main)


@given(st.text(min_size=1, max_size=9))
def test_no_name_of_a_model_breaks_the_choice(model: str) -> None:
    status, models = asked(routed(Routing(groups=GROUPS)), model)
    assert (status, len(models)) in ((200, 1), (404, 0))


def firsts(rules: Routing, *models: str, headers: tuple[dict[str, str], ...] = ()) -> str:
    """Who is asked first for one request after the other, of three targets without models."""
    targets = tuple(target(one, f"http://{one}") for one in "abc")
    whole = attrs.evolve(plan(targets=targets), routing=rules)
    provider = FakeProvider(lambda _: json_answer(completion("fine")))

    async def main() -> None:
        async with gateway(whole, provider) as app:
            for at, model in enumerate(models):
                await chat(app, "hello", headers[at] if headers else None, model=model)

    run_in_virtual_time(main)
    return "".join(one.url.host for one in provider.asked)


def test_a_target_that_stands_in_takes_no_turns() -> None:
    rules = Routing(
        strategy=Strategy.ROUND_ROBIN,
        fallback=attrs.evolve(fallback(), last=Member(target="c")),
    )
    assert firsts(rules, *"mmmm") == "abab"


def test_requests_of_a_route_take_no_turns_of_others() -> None:
    is_red = condition('header["x-team"] == "red"')
    assert is_red is not None
    route = Route(name="red", when=is_red, target="c")
    rules = Routing(strategy=Strategy.ROUND_ROBIN, routes=(route,))
    red: dict[str, str] = {"x-team": "red"}
    assert firsts(rules, *"mmmmmm", headers=({}, red) * 3) == "acbccc"


def test_a_group_that_follows_another_keeps_its_own_turns() -> None:
    two = (Member(target="a"), Member(target="b"))
    second = attrs.evolve(group("second", *two), strategy=Strategy.ROUND_ROBIN)
    rules = Routing(groups=(group("first", Member(target="c"), then="second"), second))
    assert firsts(rules, *(("second", "first") * 3)) == "acbcac"


def test_models_take_turns_of_their_own() -> None:
    """Each name has two targets here; one counter for both would give each always the same."""
    members = ("x", "a"), ("x", "b"), ("y", "b"), ("y", "c")
    targets = tuple(target(f"{on}{one}", f"http://{on}", model=one) for one, on in members)
    other = ModelGroup(name="g", strategy=Strategy.ORDERED, members=(Member(target="ax"),))
    rules = Routing(strategy=Strategy.ROUND_ROBIN, groups=(other,))
    whole = attrs.evolve(plan(targets=targets), routing=rules)
    provider = FakeProvider(lambda _: json_answer(completion("fine")))

    async def main() -> None:
        async with gateway(whole, provider) as app:
            for model in "xyxyxy":
                await chat(app, "hello", model=model)

    run_in_virtual_time(main)
    assert "".join(one.url.host for one in provider.asked) == "abbcab"
