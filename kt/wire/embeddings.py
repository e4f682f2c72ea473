"""`/v1/embeddings`: texts in, numbers out.

In: parsed bodies. Out: the format as a value. Never: an input of token numbers taken for text.
"""

from types import MappingProxyType

from kt.errors import GatewayError
from kt.exchange import Dialect, Surface
from kt.wire import choices
from kt.wire.format import OPENAI_HEADERS, Format, is_text_or_texts, misshapen
from kt.wire.json_body import JsonObject
from kt.wire.segments import Tables
from kt.wire.vocabulary import is_base64, words

REQUEST = Tables(
    keys=words("dimensions encoding_format input model stream user"),
    values=MappingProxyType({"encoding_format": words("base64 float")}),
    payloads=MappingProxyType({}),
    exempt=frozenset(),
    surfaces=MappingProxyType({"input": Surface.EMBEDDING_INPUT}),
    roles=MappingProxyType({}),
    embedded=frozenset(),
)
ANSWER = Tables(
    keys=words("data embedding id index model object prompt_tokens total_tokens usage"),
    values=MappingProxyType({}),
    payloads=MappingProxyType({"embedding": is_base64}),
    exempt=frozenset({("id",), ("object",), ("model",), ("data", "object")}),
    surfaces=MappingProxyType({}),
    roles=MappingProxyType({}),
    embedded=frozenset(),
)


def _check(value: JsonObject) -> None:
    if value.get("input") is None:
        raise misshapen("'input' is missing")


def _has_text_input(value: JsonObject) -> bool:
    return is_text_or_texts(value["input"])


EMBEDDINGS = Format(
    path="/v1/embeddings",
    dialect=Dialect.OPENAI,
    request=REQUEST,
    answer=ANSWER,
    check=_check,
    usage=choices.usage_of,
    error=GatewayError.body,
    is_all_text=_has_text_input,
    forwarded=OPENAI_HEADERS,
)
