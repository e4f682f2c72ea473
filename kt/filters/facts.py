"""What a filter looks at: the values of the fields, those that are there."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import attrs

from kt.filters.forms import Value, belongs
from kt.filters.vocabulary import HEADER, Vocabulary


@attrs.frozen
class FilterFacts:
    """The fields of one request or event. What is not there is absent."""

    values: Mapping[str, Value] = attrs.field(hash=False)
    """By `Field.label`; each has the form of its field."""


def facts_of(
    vocabulary: Vocabulary,
    values: Iterable[tuple[str, object]],
    headers: Iterable[tuple[str, str]] = (),
) -> FilterFacts:
    """Facts for filters of a vocabulary.

    A value that its field cannot have, such as a text for a temperature, is left out: what the
    analysis says of all facts is then true of these. Of a header that stands twice, the last wins.
    """
    forms = {entry.name: entry.form for entry in vocabulary.entries}
    named = [(name, name, value) for name, value in values if name != HEADER]
    named += [(HEADER, f'{HEADER}["{name.lower()}"]', value) for name, value in headers]
    kept = {
        label: value
        for name, label, value in named
        if name in forms and belongs(value, forms[name])
    }
    return FilterFacts(MappingProxyType(kept))
