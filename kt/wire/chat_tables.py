"""The tables of the chat format: which names and values are vocabulary, and what is no text.

docs/coverage.md gives the reason of every exemption. Whatever no table names is read.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from kt.exchange import Surface
from kt.wire.segments import Tables
from kt.wire.vocabulary import (
    SCHEMA_FORMATS,
    SCHEMA_KEYS,
    SCHEMA_TYPES,
    is_base64,
    is_data_url,
    is_file,
    words,
)

REQUEST_KEYS = words(
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
ANSWER_KEYS = words(
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

REQUEST_VALUES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "role": words("assistant developer function system tool user"),
        "type": words(
            f"""
            allowed_tools approximate content custom file function grammar image_url input_audio
            json_object json_schema refusal text
            {SCHEMA_TYPES}
            """
        ),
        "detail": words("auto high low"),
        "format": words(f"aac flac mp3 opus pcm16 wav text grammar {SCHEMA_FORMATS}"),
        "function_call": words("auto none"),
        "modalities": words("audio text"),
        "mode": words("auto block explicit implicit required score"),
        "prompt_cache_retention": words("24h in_memory"),
        "reasoning_effort": words("high low max medium minimal none xhigh"),
        "search_context_size": words("high low medium"),
        "service_tier": words("auto default fast flex priority scale"),
        "syntax": words("lark regex"),
        "tool_choice": words("auto none required"),
        "verbosity": words("high low medium"),
        "voice": words("alloy ash ballad cedar coral echo marin sage shimmer verse"),
    }
)
ANSWER_VALUES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "role": REQUEST_VALUES["role"],
        "type": words("custom error function text url_citation reasoning.text reasoning.summary"),
        "finish_reason": words("content_filter function_call length stop tool_calls"),
    }
)

_PAYLOADS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {"data": is_base64, "file_data": is_file, "url": is_data_url}
)

REQUEST = Tables(
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

ANSWER = Tables(
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

CHUNK = Tables(
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
