"""One row of the config-use audit: two values of a leaf, and what shows the difference."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from tests.support.scenes import Scene

# Any: YAML documents.

Probe = Callable[[str, Path], str]
"""What can be seen of a gateway with a configuration; the folder is for its files."""


@attrs.frozen
class Use:
    """Two values of a leaf, and what shows the difference."""

    one: Any
    other: Any
    probe: Probe = attrs.field(factory=Scene)
    around: Mapping[str, Any] = attrs.field(factory=dict)
    """What else the configuration says, for both."""


def chain(*entries: Any) -> dict[str, Any]:
    """A chain, to stand around a leaf."""
    return {"policies": {"chain": list(entries)}}


def block(kind: str, **settings: Any) -> dict[str, Any]:
    """More settings of a kind, to stand around one of them."""
    return {"policy": {kind: settings}}


def entry(**options: Any) -> dict[str, Any]:
    """More options of the entry that a leaf is in."""
    return chain({"pii-detector": options})


def target(**keys: Any) -> dict[str, Any]:
    """More keys of the target that a leaf is in."""
    return {"providers": {"targets": [keys]}}


def gateway(**sections: Any) -> dict[str, Any]:
    """More of `gateway`."""
    return {"gateway": sections}


def asks(*texts: str, **scene: Any) -> Scene:
    """A scene in which these texts are asked."""
    return Scene(asks=texts, **scene)


MAIL = asks("mail ann@example.com")
LATER = asks("a", "b", gap=10)
"""Two requests one after the other, with a pause."""
