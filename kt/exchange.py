"""What a policy may see of a request or an answer: segments of text, each with its surface.

Also the families of wire formats, which a target speaks and a path belongs to.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import attrs


class Dialect(Enum):
    """A family of wire formats: whose API a target has."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


JUDGED: Mapping[str, Dialect] = MappingProxyType(
    {
        "/v1/chat/completions": Dialect.OPENAI,
        "/v1/completions": Dialect.OPENAI,
        "/v1/responses": Dialect.OPENAI,
        "/v1/embeddings": Dialect.OPENAI,
        "/v1/messages": Dialect.ANTHROPIC,
    }
)
"""Every path whose bodies are judged, and the family of its format."""


class Surface(Enum):
    """Where in a request or an answer a piece of text stands (design: one extractor per format)."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL_RESULT = "tool_result"
    TOOL_ARGUMENTS = "tool_arguments"
    TOOL_DESCRIPTION = "tool_description"
    PROMPT = "prompt"
    EMBEDDING_INPUT = "embedding_input"
    CONTENT = "content"
    REFUSAL = "refusal"
    REASONING = "reasoning"
    OTHER = "other"
    """Any string that no other surface claims: unknown fields and keys are read too."""


@attrs.frozen
class Key:
    """A path part that means the key itself, not the value below it."""

    name: str


@attrs.frozen
class Embedded:
    """A path part that steps into the JSON document written inside a string."""


PathPart = str | int | Key | Embedded
Path = tuple[PathPart, ...]


@attrs.frozen
class Piece:
    """One JSON leaf that carries a part of a segment's text: `end - start` UTF-8 bytes of it."""

    path: Path
    start: int
    end: int


@attrs.frozen
class Segment:
    """A run of text that is judged as a whole.

    Adjacent text parts of one message are one segment, so it may be made of several leaves.
    """

    surface: Surface
    text: str
    pieces: tuple[Piece, ...]


Place = tuple[int, str]
"""Where a growing text stands in an answer."""


@attrs.frozen
class Lane:
    """The identity of one growing text in a streamed answer."""

    choice: int
    surface: Surface
    part: str = ""
    """Distinguishes the texts of a choice: the path below it."""

    @property
    def place(self) -> Place:
        """What no other growing text of the answer has."""
        return self.choice, self.part
