"""Whole requests with a moderation service beside the provider: what each sees and what follows."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from kt.exchange import Segment, Surface
from kt.plan import Plan, SecretFrom, SecretRef, Stage, Step
from kt.policy import Action, OnTrouble, Phase
from kt.runtime.app import App
from kt.runtime.asking import MAX_ANSWER
from kt.runtime.connecting import Network
from kt.runtime.engine import THREADS, PolicyBudget, bind, judge
from kt.runtime.gateway import GatewayOptions, built
from kt.runtime.signing import is_genuine
from tests.support.asgi import Response, asgi_request
from tests.support.gateways import chat, chat_body
from tests.support.plans import ASK, ask_step, plan, record_step, scan_step
from tests.support.services import Behavior, Service
from tests.support.upstreams import (
    Body,
    FakeProvider,
    completion,
    json_answer,
    stream_answer,
    streamed,
)

# Any: JSON.

SIGNED = attrs.evolve(ASK, secret=SecretRef(source=SecretFrom.ENV, name="MODERATION_KEY"))
MAIL = r"[a-z]+@[a-z]+\.com"


@attrs.define
class Play:
    """A gateway between a client, a provider and a service."""

    service: Service
    provider: FakeProvider
    app: App
    audit: Path

    def events(self) -> list[Any]:
        """The audit log."""
        return [json.loads(line) for line in self.audit.read_text().splitlines()]


def perform(
    act: Callable[[Play], Awaitable[None]],
    the_plan: Plan,
    behaves: Callable[[Any], Behavior] = lambda _: Behavior(),
    says: str = "fine",
    keys: dict[str, str] | None = None,
    folder: Path = Path("unused"),
) -> None:
    """Run a play in virtual time; afterwards no connection to the service is left."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            service = Service(nursery, behaves)
            provider = FakeProvider(lambda _: json_answer(completion(says)))
            options = GatewayOptions(
                host="127.0.0.1",
                port=0,
                log=_no_bug_is_expected,
                audit_path=folder / "audit.jsonl",
                gateway_id="test",
                signing_keys=keys or {},
                network=Network(transport=provider, dial=service.dial),
            )
            async with built(the_plan, options) as app:
                await act(Play(service, provider, app, options.audit_path))
            await wait_all_tasks_blocked()
            assert service.open == 0
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))


def _no_bug_is_expected(line: str) -> None:
    raise AssertionError(line)


def code_of(answer: Response) -> str:
    code: str = orjson.loads(answer.body)["error"]["code"]
    return code


def test_the_service_is_told_of_the_request_and_its_redacted_text() -> None:
    async def act(play: Play) -> None:
        answer = await chat(play.app, "to ada@example.com", {"x-request-id": "r-1"})
        assert answer.status == 200
        (asked,) = play.service.asked
        assert asked.value == {
            "format": 1,
            "request_id": "r-1",
            "phase": "input",
            "policy": "moderation",
            "model": "m",
            "segments": [
                {"surface": "other", "text": "m"},
                {"surface": "user", "text": "to [MAIL]"},
            ],
        }
        assert "x-keeptrusts-signature" not in asked.headers
        assert "authorization" not in asked.headers
        assert asked.headers["host"] == "moderation.test:8080"
        assert play.service.dialed == [("moderation.test", 8080)]

    redacts = scan_step("mail", MAIL, phase=Phase.INPUT, order=9)
    perform(act, plan(redacts, ask_step("moderation", ASK)))


def test_what_is_sent_is_signed_with_a_key_that_nobody_sees(tmp_path: Path) -> None:
    async def act(play: Play) -> None:
        assert (await chat(play.app, "hello")).status == 200
        (asked,) = play.service.asked
        header = asked.headers["x-keeptrusts-signature"]
        at = int(header.partition("=")[2].partition(",")[0])
        assert is_genuine(b"s3cret", header, asked.body, at)
        assert "s3cret" not in repr(play.app.endpoints)

    the_plan = plan(ask_step("moderation", SIGNED), record_step())
    perform(act, the_plan, keys={"MODERATION_KEY": "s3cret"}, folder=tmp_path)
    assert "s3cret" not in (tmp_path / "audit.jsonl").read_text()


def test_without_its_key_nobody_is_asked_and_the_policy_is_in_trouble() -> None:
    async def act(play: Play) -> None:
        answer = await chat(play.app, "hello")
        assert (answer.status, code_of(answer)) == (503, "policy_unavailable")
        assert (play.service.asked, play.provider.asked) == ([], [])

    perform(act, plan(ask_step("moderation", SIGNED)))


@pytest.mark.parametrize(
    ("value", "status", "code"),
    [
        ({"verdict": "block"}, 409, "input_blocked"),
        ({"categories": {"hate": 0.7}}, 409, "input_blocked"),
        ({"verdict": "escalate"}, 409, "escalation_required"),
    ],
)
def test_what_is_refused_reaches_no_provider(value: Any, status: int, code: str) -> None:
    async def act(play: Play) -> None:
        answer = await chat(play.app, "hello")
        error = orjson.loads(answer.body)["error"]
        assert (answer.status, error["code"], error["policy"]) == (status, code, "moderation")
        assert error["message"] == "refused by the service"
        assert play.provider.asked == []

    perform(act, plan(ask_step("moderation", ASK)), lambda _: Behavior(value=value))


def test_an_edit_of_redacted_text_covers_the_original_span() -> None:
    sent = "ask [MAIL] now"

    def behaves(question: Any) -> Behavior:
        if not question:
            return Behavior()
        assert question["segments"][1]["text"] == sent
        start = sent.index("MAIL")
        edit = {"segment": 1, "start": start, "end": start + 2, "label": "[SOMEBODY]"}
        later = {"segment": 1, "start": 11, "end": 14}
        return Behavior(value={"verdict": "redact", "edits": [edit, later]})

    async def act(play: Play) -> None:
        assert (await chat(play.app, "ask ada@example.com now")).status == 200
        (text,) = play.provider.texts()
        assert orjson.loads(text)["messages"][0]["content"] == "ask [MAIL] [MODERATED]"

    redacts = scan_step("mail", MAIL, phase=Phase.INPUT, order=1)
    perform(act, plan(redacts, ask_step("moderation", ASK)), behaves)


def test_an_answer_is_judged_whole() -> None:
    async def act(play: Play) -> None:
        answer = await chat(play.app, "hello")
        assert (answer.status, code_of(answer)) == (409, "output_blocked")
        (asked,) = play.service.asked
        assert asked.value["segments"] == [{"surface": "content", "text": "Bad words"}]
        assert asked.value["phase"] == "output"

    step = ask_step("moderation", ASK, phase=Phase.OUTPUT)
    perform(act, plan(step), lambda _: Behavior(value={"verdict": "block"}), says="Bad words")


def test_a_stream_is_refused_before_anybody_is_asked_where_a_whole_answer_is_needed() -> None:
    async def act(play: Play) -> None:
        answer = await chat(play.app, "hello", stream=True)
        assert (answer.status, code_of(answer)) == (422, "stream_not_judged")
        assert (play.service.asked, play.provider.asked) == ([], [])

    perform(act, plan(ask_step("moderation", ASK, phase=Phase.OUTPUT)))


def test_a_stream_that_nobody_asked_for_is_refused_too() -> None:
    async def act(play: Play) -> None:
        play.provider.answer = lambda _: stream_answer(Body([streamed(["Bad words"])]))
        answer = await chat(play.app, "hello")
        assert (answer.status, code_of(answer)) == (422, "stream_not_judged")

    perform(act, plan(ask_step("moderation", ASK, phase=Phase.OUTPUT)))


def test_a_stream_goes_on_where_the_service_is_for_other_requests() -> None:
    async def act(play: Play) -> None:
        play.provider.answer = lambda _: stream_answer(Body([streamed(["Bad words"])]))
        answer = await chat(play.app, "hello", stream=True)
        assert (answer.status, play.service.asked) == (200, [])

    step = ask_step("moderation", ASK, phase=Phase.OUTPUT, when="not request.stream")
    perform(act, plan(step))


def test_who_only_watches_lets_pass_and_writes_it_down(tmp_path: Path) -> None:
    async def act(play: Play) -> None:
        assert (await chat(play.app, "hello")).status == 200

    watches = attrs.evolve(ASK, action=Action.FLAG)
    the_plan = plan(ask_step("moderation", watches), record_step())
    perform(act, the_plan, lambda _: Behavior(value={"verdict": "block"}), folder=tmp_path)
    (event,) = map(json.loads, (tmp_path / "audit.jsonl").read_text().splitlines())
    (row,) = event["policies"]
    assert (row["name"], row["phase"], row["verdict"]) == ("moderation", "input", "flag")


def test_its_time_is_measured_like_that_of_any_policy() -> None:
    async def act(play: Play) -> None:
        await chat(play.app, "hello")
        text = play.app.metrics.page().decode()
        assert 'keeptrusts_policy_duration_seconds_count{phase="input",policy="moderation"}' in text
        assert (
            'keeptrusts_policy_duration_seconds_sum{phase="input",policy="moderation"} 0.25' in text
        )

    perform(act, plan(ask_step("moderation", ASK)), lambda _: Behavior(delay=0.25))


def test_text_that_could_not_be_redacted_is_shown_to_nobody() -> None:
    async def act(play: Play) -> None:
        answer = await chat(play.app, "ada@example.com")
        assert (answer.status, code_of(answer)) == (503, "policy_unavailable")
        assert play.service.asked == []

    # Its rules have no time at all, and its owner would even let the text pass.
    late = scan_step(
        "mail", MAIL, phase=Phase.INPUT, order=1, on_trouble=OnTrouble.ALLOW, seconds=0
    )
    perform(act, plan(late, ask_step("moderation", ASK)))


def test_a_connection_is_used_again() -> None:
    async def act(play: Play) -> None:
        for _ in range(3):
            assert (await chat(play.app, "hello")).status == 200
        assert (len(play.service.asked), len(play.service.dialed)) == (3, 1)

    perform(act, plan(ask_step("moderation", ASK)))


def test_nothing_is_asked_about_no_text() -> None:
    async def act(play: Play) -> None:
        budget = PolicyBudget(2.0, trio.CapacityLimiter(THREADS))
        nothing = (Segment(Surface.USER, "", ()),)
        decision = await judge(play.app.endpoints.input, nothing, budget)
        assert decision.outcome.value == "allow"
        assert play.service.asked == []

    perform(act, plan(ask_step("moderation", ASK)))


def test_the_wait_for_the_provider_is_no_policy_time() -> None:
    async def act(play: Play) -> None:
        play.provider.head_seconds = 20.0
        assert (await chat(play.app, "hello")).status == 200
        assert len(play.service.asked) == 2

    steps = (ask_step("a", ASK), ask_step("b", ASK, phase=Phase.OUTPUT))
    perform(act, plan(*steps), lambda _: Behavior(delay=0.9))


def test_a_client_that_leaves_ends_the_question() -> None:
    async def act(play: Play) -> None:
        path, body = "/v1/chat/completions", chat_body("hello")
        async with asgi_request(play.app, "POST", path, body_chunks=[body]) as exchange:
            await trio.sleep(0.5)
            assert play.service.open == 1
            exchange.leave()
            left = trio.current_time()
            await exchange.finished.wait()
            assert trio.current_time() == left
        await wait_all_tasks_blocked()
        assert (play.service.open, play.provider.asked) == (0, [])

    perform(act, plan(ask_step("moderation", ASK)), lambda _: Behavior(delay=100.0))


FAULTS = {
    "refused": (Behavior(refuses=True), "failed"),
    "late": (Behavior(delay=5.0), "late"),
    "stalled": (Behavior(stalls=True), "late"),
    "cut": (Behavior(is_cut=True), "failed"),
    "garbage": (Behavior(body=b"<html>no</html>"), "failed"),
    "empty": (Behavior(body=b""), "failed"),
    "unknown": (Behavior(value={"verdict": "maybe"}), "failed"),
    "huge": (Behavior(body=b" " * (4 * MAX_ANSWER)), "failed"),
    "endless": (Behavior(is_endless=True), "failed"),
    "slow drip": (Behavior(drip=0.3), "late"),
    "error": (Behavior(status=500), "failed"),
    "not found": (Behavior(status=404), "failed"),
    "no content": (Behavior(status=204, body=b""), "failed"),
    "redirect": (Behavior(status=302, headers=("location: http://other.test/",)), "failed"),
}


@pytest.mark.parametrize("on_trouble", OnTrouble)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_in_its_verdict_within_the_deadline(fault: str, on_trouble: OnTrouble) -> None:
    behavior, trouble = FAULTS[fault]

    async def act(play: Play) -> None:
        began = trio.current_time()
        answer = await chat(play.app, "hello")
        assert trio.current_time() - began <= 1.0
        assert len(play.service.dialed) <= 1  # nobody else is asked
        await wait_all_tasks_blocked()
        assert play.service.open == (fault in KEEPS)
        if on_trouble is OnTrouble.ALLOW:
            assert answer.status == 200
            return
        assert (answer.status, code_of(answer)) == (503, "policy_unavailable")
        assert f"({trouble})" in orjson.loads(answer.body)["error"]["message"]
        assert play.provider.asked == []

    step = ask_step("moderation", ASK, on_trouble=on_trouble)
    perform(act, plan(step), lambda _: behavior)


KEEPS = frozenset({"garbage", "empty", "unknown", "no content"})
"""Their answers were read to the end, so that the connection can be used again."""

VALUES = ({"verdict": "allow"}, {"verdict": "block"}, {"verdict": "escalate"}, {"verdict": "flag"})
BEHAVIORS = st.one_of(
    st.sampled_from([behavior for behavior, _ in FAULTS.values() if not behavior.refuses]),
    st.builds(Behavior, value=st.sampled_from(VALUES), delay=st.sampled_from([0.0, 0.1, 0.4, 2.0])),
)


def strongest(behaviors: tuple[Behavior, ...], closes: tuple[bool, ...]) -> tuple[str, str | None]:
    """The naive order: what each answers by itself, then block, trouble, escalation, allow."""
    alone = [_alone(one) for one in behaviors]
    for group in (["block"], ["late", "failed"], ["escalate"]):
        for at, outcome in enumerate(alone):
            if outcome in group and (outcome in ("block", "escalate") or closes[at]):
                return outcome, f"m{at}"
    return "allow", None


def _alone(behavior: Behavior) -> str:
    known = [trouble for fault, trouble in FAULTS.values() if fault == behavior]
    if known:
        return known[0]
    return "late" if behavior.delay > 1.0 else str(behavior.value["verdict"])


def steps_of(count: int, closes: tuple[bool, ...]) -> tuple[Step, ...]:
    return tuple(
        ask_step(
            f"m{at}",
            ASK,
            order=at,
            on_trouble=OnTrouble.BLOCK if closes[at] else OnTrouble.ALLOW,
        )
        for at in range(count)
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(BEHAVIORS, st.booleans()), min_size=1, max_size=4), st.booleans())
def test_services_asked_at_once_decide_as_one_after_the_other(
    members: list[tuple[Behavior, bool]], together: bool
) -> None:
    behaviors = tuple(behavior for behavior, _ in members)
    closes = tuple(closed for _, closed in members)
    steps = steps_of(len(members), closes)
    stages = (Stage(steps=steps),) if together else tuple(Stage(steps=(one,)) for one in steps)
    wanted = strongest(behaviors, closes)

    def behaves(question: Any) -> Behavior:
        return behaviors[int(question["policy"][1:])] if question else Behavior()

    async def act(play: Play) -> None:
        answer = await chat(play.app, "hello")
        error = orjson.loads(answer.body).get("error", {})
        if wanted[0] in ("late", "failed"):
            assert (answer.status, error["policy"]) == (503, wanted[1])
        else:
            status = 200 if wanted[0] == "allow" else 409
            assert answer.status == status
        if wanted[0] == "escalate":
            assert (error["code"], error["policy"]) == ("escalation_required", wanted[1])
        if wanted[0] == "block":
            assert error["code"] == "input_blocked"

    perform(act, attrs.evolve(plan(policy=100.0), input=stages), behaves)


def test_one_that_blocks_ends_the_waiting_for_the_others() -> None:
    def behaves(question: Any) -> Behavior:
        if question and question["policy"] == "m1":
            return Behavior(value={"verdict": "block"}, delay=0.1)
        return Behavior(delay=0.9)

    async def act(play: Play) -> None:
        began = trio.current_time()
        answer = await chat(play.app, "hello")
        assert answer.status == 409
        assert trio.current_time() - began == pytest.approx(0.1)
        await wait_all_tasks_blocked()
        assert play.service.open == 1  # the one that answered

    steps = steps_of(3, (True,) * 3)
    perform(act, attrs.evolve(plan(), input=(Stage(steps=steps),)), behaves)


def test_a_step_that_nobody_asks_for_is_not_bound() -> None:
    with pytest.raises(KeyError):
        bind((Stage(steps=(ask_step("moderation", ASK),)),))


def test_the_budget_ends_a_question_before_its_own_limit() -> None:
    async def act(play: Play) -> None:
        stages = play.app.endpoints.input
        threads = trio.CapacityLimiter(THREADS)
        began = trio.current_time()
        segments = (Segment(Surface.USER, "hello", ()),)
        decision = await judge(stages, segments, PolicyBudget(0.25, threads))
        assert decision.outcome.value == "late"
        assert trio.current_time() - began == pytest.approx(0.25)

    perform(act, plan(ask_step("moderation", ASK)), lambda _: Behavior(delay=0.9))
