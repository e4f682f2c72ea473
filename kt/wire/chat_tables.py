"""The tables of the chat format: which names and values are vocabulary, and what is no text.

docs/coverage.md gives the reason of every exemption. Whatever no table names is read.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from kt.exchange import Surface
from kt.wire.segments import Format


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


REQUEST_KEYS = _words(
    """
    allowed_tools approximate arguments audio city content country custom data definition
    description detail file file_data file_id filename format frequency_penalty function
    function_call functions grammar id image_url include_obfuscation include_usage input input_audio
    json_schema logit_bias logprobs max_completion_tokens max_tokens messages metadata modalities
    mode model moderation n name output parallel_tool_calls parameters policy prediction
    presence_penalty prompt_cache_breakpoint prompt_cache_key prompt_cache_options
    prompt_cache_retention reasoning reasoning_content reasoning_effort refusal region
    response_format role safety_identifier schema search_context_size seed service_tier stop store
    stream stream_options strict syntax temperature text timezone tool_call_id tool_calls
    tool_choice tools top_logprobs top_p transcript ttl type url user user_location verbosity voice
    web_search_options
    """
)
SCHEMA_KEYS = _words(
    """
    $defs $id $ref $schema additionalProperties allOf anyOf const default definitions enum examples
    exclusiveMaximum exclusiveMinimum items maxItems maxLength maximum minItems minLength minimum
    multipleOf not nullable oneOf pattern prefixItems properties required title uniqueItems
    """
)
"""JSON Schema's own words, in the parameters of tools and in response formats."""
ANSWER_KEYS = _words(
    """
    accepted_prediction_tokens annotations arguments audio audio_tokens bytes cache_write_tokens
    cached_tokens choices code completion_tokens completion_tokens_details content created custom
    data delta end_index error expires_at finish_reason function function_call id image_tokens index
    input logprob logprobs message metadata model moderation name object obfuscation
    prompt_tokens prompt_tokens_details provider reasoning reasoning_content reasoning_details
    reasoning_tokens refusal rejected_prediction_tokens role service_tier start_index
    system_fingerprint text text_tokens thinking title token tool_calls top_logprobs total_tokens
    transcript type url url_citation usage
    """
)

_SCHEMA_FORMATS = "date date-time time duration email hostname ipv4 ipv6 uri uuid"
REQUEST_VALUES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "role": _words("assistant developer function system tool user"),
        "type": _words(
            """
            allowed_tools approximate content custom file function grammar image_url input_audio
            json_object json_schema refusal text
            string number integer boolean object array null
            """
        ),
        "detail": _words("auto high low"),
        "format": _words(f"aac flac mp3 opus pcm16 wav text grammar {_SCHEMA_FORMATS}"),
        "function_call": _words("auto none"),
        "modalities": _words("audio text"),
        "mode": _words("auto block explicit implicit required score"),
        "prompt_cache_retention": _words("24h in_memory"),
        "reasoning_effort": _words("high low max medium minimal none xhigh"),
        "search_context_size": _words("high low medium"),
        "service_tier": _words("auto default fast flex priority scale"),
        "syntax": _words("lark regex"),
        "tool_choice": _words("auto none required"),
        "verbosity": _words("high low medium"),
        "voice": _words("alloy ash ballad cedar coral echo marin sage shimmer verse"),
    }
)
ANSWER_VALUES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "role": REQUEST_VALUES["role"],
        "type": _words("custom error function text url_citation reasoning.text reasoning.summary"),
        "finish_reason": _words("content_filter function_call length stop tool_calls"),
    }
)

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


_PAYLOADS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {"data": is_base64, "file_data": is_file, "url": is_data_url}
)

REQUEST = Format(
    keys=REQUEST_KEYS | SCHEMA_KEYS,
    values=REQUEST_VALUES,
    payloads=_PAYLOADS,
    exempt=frozenset(),
    surfaces=MappingProxyType(
        {
            "tools": Surface.TOOL_DESCRIPTION,
            "functions": Surface.TOOL_DESCRIPTION,
            "input": Surface.TOOL_ARGUMENTS,
            "arguments": Surface.TOOL_ARGUMENTS,
        }
    ),
    roles=MappingProxyType(
        {
            "system": Surface.SYSTEM,
            "developer": Surface.SYSTEM,
            "user": Surface.USER,
            "assistant": Surface.ASSISTANT,
            "tool": Surface.TOOL_RESULT,
            "function": Surface.TOOL_RESULT,
        }
    ),
    embedded=frozenset({"arguments"}),
)

_PROVIDERS_OWN = frozenset(
    {
        ("id",),
        ("object",),
        ("model",),
        ("system_fingerprint",),
        ("service_tier",),
        ("obfuscation",),
        ("provider",),
        ("choices", "logprobs"),
        ("choices", "message", "tool_calls", "id"),
        ("choices", "message", "audio", "id"),
        ("choices", "delta", "tool_calls", "id"),
        ("choices", "delta", "audio", "id"),
    }
)
"""What the provider writes and no model: numbers of things, and copies that are removed where
their original is edited."""

ANSWER = Format(
    keys=ANSWER_KEYS,
    values=ANSWER_VALUES,
    payloads=_PAYLOADS,
    exempt=_PROVIDERS_OWN,
    surfaces=MappingProxyType(
        {
            "content": Surface.CONTENT,
            "transcript": Surface.CONTENT,
            "refusal": Surface.REFUSAL,
            "reasoning": Surface.REASONING,
            "reasoning_content": Surface.REASONING,
            "reasoning_details": Surface.REASONING,
            "thinking": Surface.REASONING,
            "arguments": Surface.TOOL_ARGUMENTS,
        }
    ),
    roles=MappingProxyType({}),
    embedded=frozenset({"arguments"}),
)

CHUNK = Format(
    keys=ANSWER.keys,
    values=ANSWER.values,
    payloads=ANSWER.payloads,
    # Citations of a streamed text are removed where rules act: their offsets would be wrong.
    exempt=ANSWER.exempt | {("choices", "delta", "annotations")},
    surfaces=ANSWER.surfaces,
    roles=ANSWER.roles,
    # Arguments arrive as fragments of a document: they are read when they are complete.
    embedded=frozenset(),
)
