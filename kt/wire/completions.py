"""`/v1/completions`, OpenAI's older format of prompts without messages.

In: parsed bodies. Out: the format as a value. Never: a prompt of token numbers taken for text.
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from kt.errors import GatewayError
from kt.exchange import Dialect, Surface
from kt.wire import choices
from kt.wire.format import OPENAI_HEADERS, Format, StreamFormat, is_text_or_texts, misshapen
from kt.wire.json_body import JsonObject
from kt.wire.segments import Tables
from kt.wire.vocabulary import words

REQUEST = Tables(
    keys=words(
        """
        best_of echo frequency_penalty include_obfuscation include_usage logit_bias logprobs
        max_tokens model n presence_penalty prompt seed stop stream stream_options suffix
        temperature top_p user
        """
    ),
    values=MappingProxyType({}),
    payloads=MappingProxyType({}),
    exempt=frozenset(),
    surfaces=MappingProxyType({"prompt": Surface.PROMPT, "suffix": Surface.PROMPT}),
    roles=MappingProxyType({}),
    embedded=frozenset(),
)
ANSWER = Tables(
    keys=words(
        """
        accepted_prediction_tokens audio_tokens cache_write_tokens cached_tokens choices code
        completion_tokens completion_tokens_details created error finish_reason id image_tokens
        index logprobs message model object obfuscation param prompt_tokens prompt_tokens_details
        provider reasoning_tokens rejected_prediction_tokens system_fingerprint text text_offset
        text_tokens token_logprobs tokens top_logprobs total_tokens type usage
        """
    ),
    values=MappingProxyType({"finish_reason": words("content_filter length stop")}),
    payloads=MappingProxyType({}),
    exempt=frozenset(
        {
            ("id",),
            ("object",),
            ("model",),
            ("system_fingerprint",),
            ("obfuscation",),
            ("provider",),
            ("choices", "logprobs"),
        }
    ),
    surfaces=MappingProxyType({"text": Surface.CONTENT}),
    roles=MappingProxyType({}),
    embedded=frozenset(),
    # One choice per prompt: each is an answer of its own.
    joins_parts=False,
)
_EMPTY: Mapping[str, object] = MappingProxyType({"text": "", "logprobs": None})


def _check(value: JsonObject) -> None:
    if "prompt" not in value:
        raise misshapen("'prompt' is missing")


def _has_text_prompt(value: JsonObject) -> bool:
    return value["prompt"] is None or is_text_or_texts(value["prompt"])


COMPLETIONS = Format(
    path="/v1/completions",
    dialect=Dialect.OPENAI,
    request=REQUEST,
    answer=ANSWER,
    check=_check,
    usage=choices.usage_of,
    error=GatewayError.body,
    is_all_text=_has_text_prompt,
    repetitions=choices.repetitions_of,
    forwarded=OPENAI_HEADERS,
    stream=StreamFormat(
        read=partial(choices.read_event, ANSWER),
        held=partial(choices.held_event, _EMPTY),
        is_error=choices.is_error,
        error=choices.error_event,
        done=choices.DONE,
    ),
)
