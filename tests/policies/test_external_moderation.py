"""What is asked of a moderation service, and what is said where none is."""

import pytest

from kt.compiler import compile_source
from kt.plan import Ask, NotEnforced, Plan, SecretFrom, SecretRef, Step
from kt.policies.external_moderation import ExternalModeration, Moderator
from kt.policy import Action, Cost, Phase, Sees, Streams
from kt.source import Source

ENDPOINT = "https://moderation.example.com/v1/judge"
HERE = ExternalModeration(endpoint=ENDPOINT)


def plan_of(entry: str = "external-moderation", settings: str = "") -> Plan:
    """The plan of a chain with one entry."""
    text = f"""
policies: {{chain: [{entry}]}}
policy: {{external-moderation: {{endpoint: "{ENDPOINT}"{settings}}}}}
"""
    return compile_source(Source("kt.yaml", text)).plan


def only(plan: Plan) -> Step:
    ((step,),) = (stage.steps for stage in plan.input)
    return step


def test_it_asks_with_redacted_text_about_whole_answers() -> None:
    facts = HERE.facts(Phase.OUTPUT)
    assert (facts.cost, facts.sees, facts.streams) == (Cost.NETWORK, Sees.REDACTED, Streams.WHOLE)


def test_it_lowers_to_a_question() -> None:
    assert only(
        plan_of(settings=", secret_key_ref: KEY, categories: [hate], threshold: 0.7")
    ).body == (
        Ask(
            endpoint=ENDPOINT,
            secret=SecretRef(source=SecretFrom.ENV, name="KEY"),
            action=Action.BLOCK,
            categories=("hate",),
            threshold=0.7,
            message="Request blocked: a moderation service refused it",
        )
    )


@pytest.mark.parametrize("action", Action)
def test_where_it_acts_it_may_do_anything_that_acts(action: Action) -> None:
    acts = action in (Action.BLOCK, Action.REDACT, Action.ESCALATE)
    for step in (
        only(plan_of(settings=f", action: {action.value}")),
        only(plan_of(f"{{external-moderation: {{action: {action.value}}}}}")),
    ):
        assert isinstance(step.body, Ask)
        assert step.body.action is action
        assert (step.facts.can_block, step.facts.edits) == (acts, acts)


def test_an_entry_says_what_the_client_is_told() -> None:
    step = only(plan_of("{external-moderation: {message: No.}}"))
    assert isinstance(step.body, Ask)
    assert step.body.message == "No."


def test_its_time_is_its_own_where_it_says_so() -> None:
    assert only(plan_of(settings=", timeout_ms: 800")).limit.seconds == 0.8
    assert only(plan_of(settings=", timeout_ms: 800")).limit.origin == "kt.yaml:3:10"
    assert only(plan_of()).limit.seconds == 2.0


@pytest.mark.parametrize("provider", [one for one in Moderator if one is not Moderator.WEBHOOK])
def test_who_speaks_another_language_is_not_asked(provider: Moderator) -> None:
    policy = ExternalModeration(endpoint=ENDPOINT, provider=provider)
    body = policy.body(Phase.INPUT)
    assert isinstance(body, NotEnforced)
    assert provider.value in body.reason
    assert [(one.field, one.code_name) for one in policy.problems()] == [
        ("provider", "not_enforced")
    ]


def test_nobody_is_asked_without_an_endpoint() -> None:
    assert isinstance(ExternalModeration().body(Phase.INPUT), NotEnforced)
    (problem,) = ExternalModeration().problems()
    assert (problem.field, problem.code_name, problem.is_warning) == ("endpoint", "empty", True)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "moderation.example.com",
        "ftp://moderation.example.com",
        "https://",
        "https://user:password@moderation.example.com/",
        "https://moderation.example.com/?key=secret",
        "https://moderation.example.com/#top",
        "https://moderation.example.com:0/",
        "https://moderation.example.com:99999/",
        "https://moderation.example.com/a b",
        "https://moderation.example.com/\r\nx: y",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_cannot_be_asked_is_an_error_that_repeats_nothing(endpoint: str) -> None:
    (problem,) = ExternalModeration(endpoint=endpoint).problems()
    assert (problem.field, problem.code_name) == ("endpoint", "not_usable")
    assert "secret" not in problem.message + (problem.hint or "").replace("secret_key_ref", "")


@pytest.mark.parametrize("endpoint", [ENDPOINT, "http://127.0.0.1:8080", "http://[::1]:9/a"])
def test_an_address_that_can_be_asked_is_fine(endpoint: str) -> None:
    assert ExternalModeration(endpoint=endpoint).problems() == ()


def test_a_key_in_place_of_its_name_is_an_error() -> None:
    (problem,) = ExternalModeration(endpoint=ENDPOINT, secret_key_ref="s e").problems()
    assert (problem.field, problem.code_name) == ("secret_key_ref", "not_usable")
