"""The wording of refusals."""

from kt.patterns.refusals import REASONS


def test_messages_are_lower_case_without_a_full_stop_and_have_a_hint() -> None:
    for message, hint in REASONS.values():
        assert not message.endswith(".")
        assert not hint.endswith(".") or hint.endswith("...")
        assert message[0].islower() or message.startswith("Unicode")
        assert hint
