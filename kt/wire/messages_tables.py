"""The tables of Anthropic's messages format: what is vocabulary, and what is no text.

docs/coverage.md gives the reason of every exemption. Whatever no table names is read.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import attrs

from kt.exchange import Surface
from kt.wire.segments import Tables
from kt.wire.vocabulary import SCHEMA_FORMATS, SCHEMA_KEYS, SCHEMA_TYPES, is_base64, words

_BLOCK_KEYS = words(
    """
    caller citations cited_text content context data document_index document_title
    encrypted_content encrypted_index enabled end_block_index end_char_index end_page_number
    error_code error_message file_id file_type id input is_error lines media_type name new_lines
    new_start num_lines old_lines old_start page_age retrieved_at return_code role
    search_result_index server_name signature source start_block_index start_char_index start_line
    start_page_number stderr stdout text thinking title tool_id tool_name tool_references
    tool_use_id total_lines type url
    """
)
REQUEST_KEYS = words(
    """
    allowed_callers allowed_domains allowed_tools authorization_token blocked_domains budget_tokens
    cache_control citations city clear_at_least clear_tool_inputs configs container
    context_management country default_config defer_loading description disable_parallel_tool_use
    display display_height_px display_number display_width_px eager_input_streaming edits effort
    enable_zoom exclude_tools format inference_geo input_examples input_schema instructions keep
    max_characters max_content_tokens max_tokens max_uses mcp_server_name mcp_servers messages
    metadata model output_config output_format pause_after_compaction region schema service_tier
    skill_id skills speed stop_sequences stream strict system temperature timezone
    tool_choice tool_configuration tools top_k top_p trigger ttl user_id user_location value version
    """
)
ANSWER_KEYS = words(
    """
    applied_edits cache_creation cache_creation_input_tokens cache_read_input_tokens
    cleared_input_tokens cleared_thinking_turns cleared_tool_uses container content_block
    context_management delta ephemeral_1h_input_tokens ephemeral_5m_input_tokens error expires_at
    index inference_geo input_tokens iterations message model output_tokens partial_json request_id
    server_tool_use service_tier skill_id skills speed stop_details stop_reason stop_sequence usage
    version web_fetch_requests web_search_requests citation
    """
)
_TOOL_USES = words("tool_use server_tool_use mcp_tool_use")
_TOOL_RESULTS = words(
    """
    tool_result mcp_tool_result web_search_tool_result web_fetch_tool_result
    code_execution_tool_result bash_code_execution_tool_result
    text_editor_code_execution_tool_result tool_search_tool_result search_result
    """
)
_BLOCKS = words(
    """
    text image document thinking redacted_thinking container_upload tool_reference compaction
    char_location page_location content_block_location web_search_result_location
    search_result_location web_search_result web_search_tool_result_error web_fetch_result
    web_fetch_tool_result_error code_execution_result code_execution_output
    code_execution_tool_result_error bash_code_execution_result bash_code_execution_output
    bash_code_execution_tool_result_error text_editor_code_execution_view_result
    text_editor_code_execution_create_result text_editor_code_execution_str_replace_result
    text_editor_code_execution_tool_result_error tool_search_tool_search_result
    tool_search_tool_result_error base64 url file content direct
    """
)
_MEDIA = words("application/pdf image/gif image/jpeg image/png image/webp text/plain")
REQUEST_VALUES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "role": words("assistant system user"),
        "type": _BLOCKS
        | _TOOL_USES
        | _TOOL_RESULTS
        | words(
            f"""
            any approximate auto custom disabled enabled adaptive ephemeral json_schema none tool
            input_tokens tool_uses thinking_turns all mcp_toolset {SCHEMA_TYPES}
            """
        ),
        "ttl": words("5m 1h"),
        "media_type": _MEDIA,
        "format": words(SCHEMA_FORMATS),
        "effort": words("high low max medium xhigh"),
        "service_tier": words("auto standard_only"),
    }
)
ANSWER_VALUES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "role": words("assistant"),
        "type": _BLOCKS
        | _TOOL_USES
        | _TOOL_RESULTS
        | words(
            """
            message message_start message_delta message_stop content_block_start
            content_block_delta content_block_stop ping text_delta thinking_delta signature_delta
            input_json_delta citations_delta compaction_delta
            """
        ),
        "stop_reason": words(
            """
            end_turn max_tokens model_context_window_exceeded pause_turn refusal stop_sequence
            tool_use
            """
        ),
        "media_type": _MEDIA,
        "service_tier": words("batch priority standard"),
    }
)
_PAYLOADS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "data": is_base64,
        "encrypted_content": is_base64,
        "encrypted_index": is_base64,
        "signature": is_base64,
    }
)
_OF_BLOCKS: Mapping[str, Surface] = MappingProxyType(
    {
        **dict.fromkeys(_TOOL_USES, Surface.TOOL_ARGUMENTS),
        **dict.fromkeys(_TOOL_RESULTS, Surface.TOOL_RESULT),
    }
)

REQUEST = Tables(
    keys=REQUEST_KEYS | _BLOCK_KEYS | SCHEMA_KEYS,
    values=REQUEST_VALUES,
    payloads=_PAYLOADS,
    exempt=frozenset(),
    surfaces=MappingProxyType({"system": Surface.SYSTEM, "tools": Surface.TOOL_DESCRIPTION}),
    roles=MappingProxyType(
        {"system": Surface.SYSTEM, "user": Surface.USER, "assistant": Surface.ASSISTANT}
    ),
    types=_OF_BLOCKS,
    embedded=frozenset(),
    documents=frozenset({"input"}),
)

_OF_MESSAGE: tuple[tuple[str, ...], ...] = (
    ("id",),
    ("model",),
    ("container", "id"),
    ("container", "expires_at"),
    ("usage", "inference_geo"),
)
_OF_BLOCK: tuple[tuple[str, ...], ...] = (("id",), ("tool_use_id",), ("signature",))

ANSWER = Tables(
    keys=ANSWER_KEYS | _BLOCK_KEYS,
    values=ANSWER_VALUES,
    payloads=_PAYLOADS,
    exempt=frozenset({*_OF_MESSAGE, *(("content", *path) for path in _OF_BLOCK)}),
    surfaces=MappingProxyType({}),
    roles=MappingProxyType({"assistant": Surface.CONTENT}),
    types=MappingProxyType(
        {
            **_OF_BLOCKS,
            "thinking": Surface.REASONING,
            "thinking_delta": Surface.REASONING,
            "text": Surface.CONTENT,
            "text_delta": Surface.CONTENT,
            "input_json_delta": Surface.TOOL_ARGUMENTS,
        }
    ),
    embedded=frozenset(),
    documents=frozenset({"input"}),
    joins_parts=False,
)

EVENT = attrs.evolve(
    ANSWER,
    exempt=frozenset(
        {
            *(("message", *path) for path in _OF_MESSAGE),
            *(("message", "content", *path) for path in _OF_BLOCK),
            *(("content_block", *path) for path in _OF_BLOCK),
            ("delta", "signature"),
            ("delta", "container", "id"),
            ("delta", "container", "expires_at"),
            ("usage", "inference_geo"),
        }
    ),
)
"""One event of a streamed answer: what is exempt in an answer is exempt where an event has it."""
