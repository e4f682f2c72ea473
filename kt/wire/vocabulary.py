"""What the tables of all formats share: words, JSON Schema's own names, and payloads by their form.

In: a text. Out: whether it is binary data. Never: a guess; what may be a text is one.
"""

import re


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


SCHEMA_KEYS = words(
    """
    $defs $id $ref $schema additionalProperties allOf anyOf const default definitions enum examples
    exclusiveMaximum exclusiveMinimum items maxItems maxLength maximum minItems minLength minimum
    multipleOf not nullable oneOf pattern prefixItems properties required title uniqueItems
    """
)
"""JSON Schema's own words, in the parameters of tools and in response formats."""
SCHEMA_FORMATS = "date date-time time duration email hostname ipv4 ipv6 uri uuid"
SCHEMA_TYPES = "string number integer boolean object array null"

_SHORTEST_PAYLOAD = 64
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]++={0,2}")
_DATA_URL = re.compile(
    r"data:(?:image|audio|video)/[a-z0-9.+-]{1,64};base64,|"
    r"data:application/(?:pdf|octet-stream);base64,"
)


def is_base64(text: str) -> bool:
    """Whether a text is base64 and nothing else, too long for a word or a number."""
    return len(text) >= _SHORTEST_PAYLOAD and _BASE64.fullmatch(text) is not None


def is_data_url(text: str) -> bool:
    """Whether a text is a data URL of an image, sound, video or PDF; never of a text type."""
    head = _DATA_URL.match(text)
    return head is not None and _BASE64.fullmatch(text, head.end()) is not None


def is_file(text: str) -> bool:
    """Whether a text is the content of a file in either form."""
    return is_base64(text) or is_data_url(text)
