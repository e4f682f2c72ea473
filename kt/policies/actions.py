"""The choices of `action` that several kinds share."""

from enum import Enum


class BlockOnly(Enum):
    """A kind that can only refuse."""

    BLOCK = "block"


class RedactOrBlock(Enum):
    """A kind that may take out what it finds."""

    REDACT = "redact"
    BLOCK = "block"


class BlockOrEscalate(Enum):
    """A kind that may ask a person."""

    BLOCK = "block"
    ESCALATE = "escalate"


class WarnOrBlock(Enum):
    """A kind that may only be sure enough to warn."""

    WARN = "warn"
    BLOCK = "block"
