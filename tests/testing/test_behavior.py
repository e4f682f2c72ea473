"""Who decides how the mock answers: settings, then the model's name, then the headers."""

import pytest

from kt.testing.behavior import FAULTS, Echo, MockSettings, UnknownBehavior, check_fault, choose


def test_without_wishes_the_settings_hold() -> None:
    behavior = choose(MockSettings(reply="r", fault="cut"), "gpt", ())
    assert (behavior.reply, behavior.fault, behavior.echo) == ("r", "cut", Echo.LAST)


def test_a_model_beats_the_settings_and_a_header_beats_the_model() -> None:
    settings = MockSettings(reply="settings")
    assert choose(settings, "mock:reply=model", ()).reply == "model"
    assert choose(settings, "mock:reply=model", [("x-mock-reply", "header")]).reply == "header"


def test_a_reply_may_contain_the_sign_that_splits() -> None:
    assert choose(MockSettings(), "mock:reply=a=b", ()).reply == "a=b"


def test_a_fault_has_a_name_and_a_value() -> None:
    behavior = choose(MockSettings(), "mock:fault=status=429", ())
    assert (behavior.fault, behavior.value) == ("status", "429")


@pytest.mark.parametrize(
    "model", ["mock:fault=explode", "mock:echo=mountain", "mock:nothing", "mock:fault=cut=2"]
)
def test_an_unknown_wish_is_refused(model: str) -> None:
    with pytest.raises(UnknownBehavior):
        choose(MockSettings(), model, ())


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_may_stand_alone(fault: str) -> None:
    check_fault(fault, "")


@pytest.mark.parametrize(
    ("fault", "value"),
    [("status", "200"), ("status", "4040"), ("status", "x"), ("slow_first_byte", "5")],
)
def test_a_value_that_makes_no_sense_is_refused(fault: str, value: str) -> None:
    with pytest.raises(UnknownBehavior):
        check_fault(fault, value)
