"""A setting of any shape that nothing reads yet."""

import attrs


@attrs.frozen
class AnyValue:
    """A value that is accepted as it is and kept nowhere."""
