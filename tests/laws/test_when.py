"""The law of `when`, through the real app: a step that is not for a request is as if not declared.

For any conditions and any request, everything that the gateway does (the answer, what the provider
gets, the event but for its times, the metrics' labels) is what it does under a plan that has only
the steps whose condition is true, and those without one.
"""

import json
import re
import tempfile
from pathlib import Path
from types import MappingProxyType

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.filters.facts import FilterFacts
from kt.filters.forms import Value
from kt.plan import Plan, Stage, Step
from kt.policy import Action, OnTrouble, Phase, Verdict
from kt.runtime.app import App
from kt.runtime.conditions import ClientRequest, FactReader
from kt.runtime.endpoints import Judged
from kt.wire.chat import CHAT
from tests.support.asgi import ask
from tests.support.filter_strategies import holds
from tests.support.gateways import gateway, run_in_virtual_time
from tests.support.plans import plan, record_step, scan_step, target
from tests.support.upstreams import (
    Body,
    FakeProvider,
    completion,
    json_answer,
    stream_answer,
    streamed,
)

CONDITIONS = (
    "request.stream",
    "not request.stream",
    'request.model == "gpt-4o"',
    'request.model starts_with "big"',
    "request.temperature > 0.5",
    "request.temperature == null",
    "request.max_tokens >= 2000",
    "request.messages.count > 1",
    "request.text.length > 25",
    'user.id == "ann" or user.team in ["red", "blue"]',
    'exists(user.role) and not header["x-env"] == "test"',
    'header["x-env"] matches "^pr"',
    'request.path starts_with "/v1/chat"',
)
LATER = (*CONDITIONS, 'provider.id == "openai"', 'not provider.id == "openai"')
TEXTS = ("hello ", "ann@example.com ", "secret ", "é ")


@attrs.frozen(kw_only=True)
class Sent:
    """One request, and what the provider says to it."""

    body: dict[str, object]
    headers: dict[str, str]
    answered: str

    def facts(self, target_id: str | None) -> FilterFacts:
        """What conditions see of it, stated by hand; the target is known once it is asked."""
        names = ("model", "stream", "temperature", "max_tokens")
        values: dict[str, Value] = {
            f"request.{name}": self.body[name]  # type: ignore[misc]
            for name in names
            if name in self.body
        }
        texts = [str(one["content"]) for one in self.messages]
        values["request.path"] = "/v1/chat/completions"
        values["request.messages.count"] = len(texts)
        # The model's name is text that policies read, like any other.
        values["request.text.length"] = len("".join([*texts, str(self.body["model"])]).encode())
        named = {"x-user-id": "user.id", "x-team": "user.team", "x-user-role": "user.role"}
        for header, value in self.headers.items():
            values[f'header["{header}"]'] = value
            if header in named:
                values[named[header]] = value
        if target_id is not None:
            values["provider.id"] = target_id
        return FilterFacts(MappingProxyType(values))

    @property
    def messages(self) -> list[dict[str, object]]:
        """What is said in it."""
        messages: list[dict[str, object]] = self.body["messages"]  # type: ignore[assignment]
        return messages


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """Requests of which each condition is true or false."""
    said = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3).map("".join)
    messages = [
        {"role": "user", "content": text} for text in draw(st.lists(said, min_size=1, max_size=2))
    ]
    more = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "stream": st.booleans(),
                "temperature": st.sampled_from([0, 0.7, None]),
                "max_tokens": st.sampled_from([1, 2000]),
            },
        )
    )
    headers = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "x-env": st.sampled_from(["prod", "test"]),
                "x-user-id": st.sampled_from(["ann", "bob"]),
                "x-team": st.sampled_from(["red", "green"]),
                "x-user-role": st.just("admin"),
            },
        )
    )
    body: dict[str, object] = {
        "model": draw(st.sampled_from(["gpt-4o", "big-1"])),
        "messages": messages,
        **more,
    }
    return Sent(body=body, headers=headers, answered=draw(said))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans of a few steps in each phase, some for some requests only."""
    steps: list[Step] = []
    for phase in (Phase.INPUT, Phase.OUTPUT):
        for at in range(draw(st.integers(0, 3))):
            action = draw(st.sampled_from([Action.REDACT, Action.FLAG, Action.BLOCK]))
            pattern = draw(st.sampled_from(["[a-z]+@[a-z.]+", "secret", "hello|é"]))
            asked = CONDITIONS if phase is Phase.INPUT else LATER
            steps.append(
                scan_step(
                    f"{phase.value}{at}",
                    pattern,
                    action=action,
                    phase=phase,
                    order=len(steps),
                    on_trouble=draw(st.sampled_from(OnTrouble)),
                    when=draw(st.one_of(st.none(), st.sampled_from(asked))),
                )
            )
    everything, asked_last = draw(st.booleans()), draw(st.sampled_from([None, *LATER]))
    steps.append(record_step(len(steps), everything=everything, when=asked_last))
    # What answers is another model than the client asked for, as a target may say.
    whole = plan(*steps, targets=(target(model="mapped"),))
    if not draw(st.booleans()) or len(whole.input) < 2:
        return whole
    fused = tuple(step for stage in whole.input for step in stage.steps)
    return attrs.evolve(whole, input=(attrs.evolve(whole.input[0], steps=fused),))


def without_others(whole: Plan, sent: Sent, target_id: str) -> Plan:
    """The plan as if what is not for the request were not declared, and nothing had a condition."""

    def kept(steps: tuple[Step, ...], facts: FilterFacts) -> tuple[Step, ...]:
        return tuple(
            attrs.evolve(step, when=None)
            for step in steps
            if step.when is None or holds(step.when, facts)
        )

    def left(stages: tuple[Stage, ...], facts: FilterFacts) -> tuple[Stage, ...]:
        return tuple(Stage(steps=steps) for stage in stages if (steps := kept(stage.steps, facts)))

    return attrs.evolve(
        whole,
        input=left(whole.input, sent.facts(None)),
        output=left(whole.output, sent.facts(target_id)),
    )


@attrs.frozen
class Seen:
    """Everything that can be seen of one request."""

    status: int
    body: bytes
    received: tuple[str, ...]
    event: str
    metrics: str


VOLATILE = ("id", "timestamp", "request_id", "plan", "latency_ms", "overhead_ms")


def play(whole: Plan, sent: Sent) -> Seen:
    """Send the request through a gateway of the plan."""
    seen: list[Seen] = []

    async def main(path: Path) -> None:
        provider = FakeProvider(
            lambda _: (
                stream_answer(Body([streamed([sent.answered])]))
                if sent.body.get("stream")
                else json_answer(completion(sent.answered))
            )
        )
        async with gateway(whole, provider, path) as app:
            answer = await ask(
                app,
                "POST",
                "/v1/chat/completions",
                list(sent.headers.items()),
                orjson.dumps(sent.body),
            )
            page = app.metrics.page().decode()
        seen.append(Seen(answer.status, answer.body, tuple(provider.texts()), "", labels(page)))

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "audit.jsonl"
        run_in_virtual_time(lambda: main(path))
        lines = path.read_text() if path.exists() else ""
    return attrs.evolve(seen[0], event="\n".join(map(stable, lines.splitlines())))


def labels(page: str) -> str:
    """The policies' series on a page of metrics."""
    return "\n".join(re.findall(r"(?m)^keeptrusts_policy_\w+_(?:total|count)\{.*$", page))


def stable(line: str) -> str:
    """An event without what differs from request to request."""
    event = json.loads(line)
    return json.dumps({name: value for name, value in event.items() if name not in VOLATILE})


def check_law(whole: Plan, sent: Sent) -> None:
    """Hold one request under a plan against the plan without the others."""
    seen = play(whole, sent)
    got_there = bool(seen.received)
    # Whoever was refused before a target was asked has none in his event's conditions.
    facts = sent.facts("openai" if got_there else None)
    wanted = play(without_others(whole, sent, "openai"), sent)
    recorder = whole.audit[0]
    is_for = recorder.when is None or holds(recorder.when, facts)
    assert seen == attrs.evolve(wanted, event=wanted.event if is_for else "")


@given(plans(), requests())
def test_a_step_that_is_not_for_a_request_is_as_if_it_were_not_declared(
    whole: Plan, sent: Sent
) -> None:
    check_law(whole, sent)


SENT = Sent(
    body={"model": "gpt-4o", "messages": [{"role": "user", "content": "ann@example.com secret"}]},
    headers={},
    answered="a secret",
)
MAIL = scan_step("mail", "[a-z]+@[a-z.]+", phase=Phase.INPUT)


def test_the_law_finds_conditions_that_are_asked_of_redacted_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted: the length of the text is that of the text that goes on."""
    long = f"request.text.length > {len('gpt-4oann@example.com secret') - 1}"
    whole = plan(MAIL, scan_step("stop", "secret", action=Action.BLOCK, order=1, when=long))
    check_law(with_audit(whole), SENT)
    ask_ = Judged._asked

    async def late(self: Judged, body: bytes) -> None:
        value = orjson.loads(body)
        self._note_facts(value, CHAT.request_segments(value))
        await ask_(self, body)

    monkeypatch.setattr(Judged, "_asked", late)
    with pytest.raises(AssertionError):
        check_law(with_audit(whole), SENT)


def test_the_law_finds_conditions_that_see_the_model_of_the_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted: what is read is what the provider gets."""
    asked = 'request.model == "gpt-4o"'
    whole = plan(
        scan_step("stop", "secret", action=Action.BLOCK, when=asked),
        targets=(target(model="mapped"),),
    )
    check_law(with_audit(whole), SENT)
    read = FactReader.read

    def mapped(self: FactReader, request: ClientRequest) -> FilterFacts:
        body = {**request.body, "model": "mapped"} if isinstance(request.body, dict) else None
        return read(self, attrs.evolve(request, body=body))

    monkeypatch.setattr(FactReader, "read", mapped)
    with pytest.raises(AssertionError):
        check_law(with_audit(whole), SENT)


def with_audit(whole: Plan) -> Plan:
    """The plan with a line for every request."""
    return attrs.evolve(whole, audit=(record_step(),))


# ---- Trouble, and what is known of whom


def fail_all(app: App) -> None:
    """Let every check of the input phase raise."""

    def broken(*_: object) -> Verdict:
        raise RuntimeError("made to fail")

    app.endpoints = attrs.evolve(
        app.endpoints,
        input=tuple(
            tuple(attrs.evolve(one, check=broken) for one in stage) for stage in app.endpoints.input
        ),
    )


@pytest.mark.parametrize(("stream", "status"), [(True, 503), (False, 200)])
def test_trouble_of_a_step_that_is_not_for_the_request_cannot_happen(
    stream: bool, status: int
) -> None:
    whole = plan(scan_step("p", "x", phase=Phase.INPUT, when="request.stream"))

    async def main() -> None:
        provider = FakeProvider(lambda _: json_answer(completion("hi")))
        async with gateway(whole, provider) as app:
            fail_all(app)
            body = orjson.dumps({**SENT.body, "stream": stream})
            answer = await ask(app, "POST", "/v1/chat/completions", body=body)
            assert answer.status == status

    run_in_virtual_time(main)


@pytest.mark.parametrize(
    ("when", "count"),
    [
        ('header["x-env"] == "prod"', 2),
        ('user.id == "ann"', 2),
        ("exists(request.model)", 1),
        ("exists(provider.id)", 0),
        ("not exists(request.model)", 1),
    ],
)
def test_a_refusal_is_written_down_by_what_is_known_of_it(
    when: str, count: int, tmp_path: Path
) -> None:
    whole = plan(
        scan_step("stop", "secret", action=Action.BLOCK, phase=Phase.INPUT),
        record_step(when=when),
    )
    path = tmp_path / "audit.jsonl"

    async def main() -> None:
        async with gateway(whole, FakeProvider(lambda _: json_answer({})), path) as app:
            headers = [("x-env", "prod"), ("x-user-id", "ann")]
            for body in (orjson.dumps(SENT.body), b"no JSON"):
                await ask(app, "POST", "/v1/chat/completions", headers, body)

    run_in_virtual_time(main)
    assert len(path.read_text().splitlines()) == count


def test_where_no_step_has_a_condition_no_facts_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted(*_: object) -> None:
        raise AssertionError("facts were made")

    monkeypatch.setattr("kt.runtime.conditions.facts_of", unwanted)
    seen = play(with_audit(plan(MAIL)), SENT)
    assert seen.status == 200
