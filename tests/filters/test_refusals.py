"""The wording of refusals."""

from kt.filters.refusals import REASONS, refusal


def test_messages_are_lower_case_without_a_full_stop_and_have_a_hint() -> None:
    for message, hint in REASONS.values():
        assert not message.endswith(".")
        assert message[0].islower() or message[0] in "'{"
        assert hint
        assert not hint.endswith(".")


def test_a_near_word_takes_the_place_of_the_hint() -> None:
    plain = refusal("needs_list", 1, 2, operator="in")
    assert (plain.message, plain.hint) == ("'in' needs a list", "write in [...]")
    words = {"word": "modl", "subject": "event", "names": "model"}
    assert refusal("unknown_field", 0, 1, "model", **words).hint == "did you mean 'model'?"
