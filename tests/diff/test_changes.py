"""What differs between two plans."""

import attrs

from kt.diff.changes import Changed, changes
from kt.exchange import Dialect
from kt.policy import Action, Phase
from tests.support.plans import ASK, ask_step, limit, plan, record_step, scan_step, target

MAIL = scan_step("mail", "a@b", phase=Phase.INPUT)
TOKEN = scan_step("token", "tok", phase=Phase.INPUT, order=1)


def test_equal_plans_do_not_differ() -> None:
    assert changes(plan(MAIL, record_step()), plan(MAIL, record_step())) == ()


def test_positions_and_reasons_are_no_difference() -> None:
    moved = attrs.evolve(MAIL, origin="elsewhere:1:1", because=("moved",))
    assert changes(plan(MAIL), plan(moved)) == ()


def test_a_removed_and_an_added_policy_are_named() -> None:
    (removed, added) = changes(plan(MAIL), plan(TOKEN))
    assert (removed.part, removed.name, removed.new) == ("input", "mail", "-")
    assert (added.part, added.name, added.old) == ("input", "token", "-")


def test_other_rules_of_the_same_number_are_a_difference() -> None:
    (changed,) = changes(plan(MAIL), plan(scan_step("mail", "c@d", phase=Phase.INPUT)))
    assert changed.old.startswith("redact by 1 rules (")
    assert changed.old != changed.new


def test_another_order_is_shown_as_one() -> None:
    assert changes(plan(MAIL, TOKEN), plan(TOKEN, MAIL)) == (
        Changed("order", "input", "mail, token", "token, mail"),
    )


def test_limits_targets_and_settings_are_shown_in_their_units() -> None:
    old = plan(hold=1024, connect=5.0)
    new = plan(targets=(target(url="http://127.0.0.1:8"),), hold=2048, connect=0.25)
    new = attrs.evolve(new, keep_answer_whole=True, listen_port=1)
    assert changes(old, new) == (
        Changed(
            "targets",
            "openai",
            "http://127.0.0.1:9, the request's model, any format, no key",
            "http://127.0.0.1:8, the request's model, any format, no key",
        ),
        Changed("timeouts", "connect", "5s", "250ms"),
        Changed("limits", "stream_hold", "1KB", "2KB"),
        Changed("plan", "listen_port", "41002", "1"),
        Changed("plan", "answers", "streamed", "sent whole"),
    )


def test_an_action_a_limit_and_trouble_are_part_of_a_policy() -> None:
    blocking = attrs.evolve(
        scan_step("mail", "a@b", phase=Phase.INPUT, action=Action.BLOCK), limit=limit(1.0)
    )
    (changed,) = changes(plan(MAIL), plan(blocking))
    assert changed.old.endswith("within 2s, on trouble block")
    assert changed.new.startswith("block by")
    assert changed.new.endswith("within 1s, on trouble block")


def test_a_condition_is_part_of_a_policy() -> None:
    old = scan_step("mail", "a@b", phase=Phase.INPUT, when="request.stream")
    new = scan_step("mail", "a@b", phase=Phase.INPUT, when='request.model == "m"')
    (changed,) = changes(plan(old), plan(new))
    assert changed.old.endswith(", when request.stream == true")
    assert changed.new.endswith(', when request.model == "m"')
    (changed,) = changes(plan(record_step()), plan(record_step(when="request.stream")))
    assert (changed.part, changed.old) == ("audit", changed.new.partition(", when")[0])


def test_what_a_target_speaks_and_what_goes_on_unread_are_compared() -> None:
    old = plan(targets=(target(),))
    spoken = attrs.evolve(target(), format=Dialect.ANTHROPIC)
    new = attrs.evolve(plan(targets=(spoken,)), passthrough=("/v1/files/*", "/v1/moderations"))
    first, second = changes(old, new)
    assert (first.part, "any format" in first.old, "anthropic formats" in first.new) == (
        "targets",
        True,
        True,
    )
    assert second == Changed("plan", "passthrough", "-", "/v1/files/*, /v1/moderations")


def test_who_is_asked_and_how_is_part_of_a_policy() -> None:
    old = plan(ask_step("service", ASK))
    for body in (
        attrs.evolve(ASK, endpoint="http://other.test/"),
        attrs.evolve(ASK, threshold=0.6),
        attrs.evolve(ASK, categories=()),
        attrs.evolve(ASK, action=Action.FLAG),
    ):
        (found,) = changes(old, plan(ask_step("service", body)))
        assert "http://moderation.test:8080/v1/judge" in str(found)
