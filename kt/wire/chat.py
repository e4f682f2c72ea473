"""`/v1/chat/completions`, OpenAI's chat format.

In: parsed bodies. Out: the format as a value. Never: a second opinion on what is text; that is
`kt.wire.chat_tables`.
"""

from functools import partial

from kt.errors import GatewayError
from kt.exchange import Dialect
from kt.wire import choices
from kt.wire.chat_tables import ANSWER, CHUNK, REQUEST
from kt.wire.format import OPENAI_HEADERS, Format, StreamFormat, misshapen
from kt.wire.json_body import JsonObject


def _check(value: JsonObject) -> None:
    messages = value.get("messages")
    if not isinstance(messages, list) or not messages:
        raise misshapen("'messages' must be an array that is not empty")
    if not all(isinstance(message, dict) for message in messages):
        raise misshapen("every member of 'messages' must be an object")


CHAT = Format(
    path="/v1/chat/completions",
    dialect=Dialect.OPENAI,
    request=REQUEST,
    answer=ANSWER,
    check=_check,
    usage=choices.usage_of,
    error=GatewayError.body,
    repetitions=choices.repetitions_of,
    forwarded=OPENAI_HEADERS,
    stream=StreamFormat(
        read=partial(choices.read_event, CHUNK),
        held=partial(choices.held_event, {"delta": {}}),
        is_error=choices.is_error,
        error=choices.error_event,
        done=choices.DONE,
    ),
)
