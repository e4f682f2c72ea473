"""A bug ends one request; a cancellation and the interrupt of a user go on."""

import pytest
import trio

from kt.errors import HouseBug
from kt.runtime.guard import describe, guarded


async def guard(error: BaseException) -> list[str]:
    """What is logged of something that raises."""

    async def fail() -> None:
        raise error

    lines: list[str] = []
    await guarded(fail, lines.append)
    return lines


@pytest.mark.parametrize(
    "error",
    [
        ValueError("secret"),
        HouseBug("secret"),
        ExceptionGroup("secret", [ValueError("secret")]),
        BaseExceptionGroup("secret", [HouseBug("secret")]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_bug_is_logged_without_what_it_says(error: BaseException) -> None:
    (line,) = trio.run(guard, error)
    assert "test_guard.py" in line or "unknown place" in line
    assert "secret" not in line


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit()])
def test_what_is_no_bug_goes_on(error: BaseException) -> None:
    with pytest.raises(type(error)):
        trio.run(guard, error)


def test_a_group_is_split_into_bugs_and_others() -> None:
    group = BaseExceptionGroup("", [ValueError(), KeyboardInterrupt()])
    with pytest.raises(BaseExceptionGroup) as caught:
        trio.run(guard, group)
    assert [type(error) for error in caught.value.exceptions] == [KeyboardInterrupt]


def test_a_cancellation_goes_on() -> None:
    async def main() -> None:
        lines: list[str] = []
        with trio.CancelScope() as scope:
            scope.cancel()
            await guarded(trio.sleep_forever, lines.append)
        assert scope.cancelled_caught
        assert lines == []

    trio.run(main)


def test_the_innermost_exception_is_described() -> None:
    group = ExceptionGroup("", [ExceptionGroup("", [ValueError()])])
    assert describe(group) == "error: a connection met ValueError at an unknown place"
