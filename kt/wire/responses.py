"""`/v1/responses`, OpenAI's responses format.

In: parsed bodies. Out: the format as a value. Never: a second opinion on what is text; that is
`kt.wire.responses_tables`.
"""

from collections.abc import Collection, Mapping

from kt.errors import GatewayError
from kt.exchange import Dialect, Path
from kt.wire import responses_stream as stream
from kt.wire.format import OPENAI_HEADERS, Format, StreamFormat, misshapen
from kt.wire.json_body import JsonObject, JsonValue, object_of, objects_of
from kt.wire.responses_tables import ANSWER, REQUEST
from kt.wire.splice import Change


def _check(value: JsonObject) -> None:
    asked = value.get("input")
    if isinstance(asked, list):
        if not all(isinstance(item, dict) for item in asked):
            raise misshapen("every member of 'input' must be an object")
    elif not (asked is None or isinstance(asked, str)):
        raise misshapen("'input' must be a string or an array")


def _repetitions(value: JsonValue, edited: Collection[Path]) -> Mapping[Path, Change]:
    """What an edited part loses: log-probabilities, and citations by offset."""
    places = {path[:4] for path in edited}
    parts = (
        (("output", at, "content", number), part)
        for at, item in objects_of(object_of(value).get("output"))
        for number, part in objects_of(item.get("content"))
    )
    return {
        lost: change
        for place, part in parts
        if place in places
        for lost, change in stream.of_part(part, place)
    }


RESPONSES = Format(
    path="/v1/responses",
    dialect=Dialect.OPENAI,
    request=REQUEST,
    answer=ANSWER,
    check=_check,
    usage=stream.usage_of,
    error=GatewayError.body,
    repetitions=_repetitions,
    forwarded=OPENAI_HEADERS,
    stream=StreamFormat(
        read=stream.read_event,
        held=stream.held_event,
        is_error=stream.is_error,
        error=stream.error_event,
        repeats_texts=True,
    ),
)
