"""What HTTP/1.1 and HTTP/2 connections have in common: the interface that pool and client know."""

from typing import Protocol

from kt.transport.messages import AnswerHead, Header, RequestHead


class Exchange(Protocol):
    """One request whose answer has begun."""

    @property
    def head(self) -> AnswerHead:
        """The answer's head."""

    @property
    def has_piece(self) -> bool:
        """Whether `piece` has something to give at once."""

    async def piece(self) -> bytes | None:
        """The next piece of the body, None at its end. Raises AnswerCut."""

    def finish(self) -> None:
        """Say that the exchange is over, read to its end or not."""


class Connection(Protocol):
    """An open connection to an origin."""

    @property
    def capacity(self) -> int:
        """How many exchanges it carries at once."""

    @property
    def is_shared(self) -> bool:
        """Whether that can be more than one."""

    @property
    def is_usable(self) -> bool:
        """Whether another exchange may begin; False from the first doubt on."""

    def is_alive(self) -> bool:
        """Whether an idle connection is worth a try."""

    async def send(self, request: RequestHead, more: tuple[Header, ...], body: bytes) -> Exchange:
        """Ask, and wait for the answer's head. Raises NoAnswer."""

    def close(self) -> None:
        """Close at once."""
