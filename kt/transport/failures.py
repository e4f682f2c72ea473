"""How an exchange can fail. Foreign exceptions become these in the module that owns the library."""


class TransportFailure(Exception):
    """The root of what a request can end in instead of an answer."""


class NotConnected(TransportFailure):
    """No connection came about, so nothing was sent; the message says why."""


class NoAnswer(TransportFailure):
    """The connection broke, or what came is no answer, before a head was here."""

    def __init__(
        self, message: str, *, is_untouched: bool = False, is_refused: bool = False
    ) -> None:
        super().__init__(message)
        self.is_untouched = is_untouched
        """Nothing at all came back."""
        self.is_refused = is_refused
        """The peer said that it did nothing with the request (HTTP/2 only)."""


class AnswerCut(TransportFailure):
    """The answer broke after its head."""


class BadAnswer(ValueError):
    """Bytes that are no answer. Raised by what does no I/O; connections turn it into the above."""
