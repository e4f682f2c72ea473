"""The tables of OpenAI's responses format: what is vocabulary, and what is no text.

docs/coverage.md gives the reason of every exemption. Whatever no table names is read.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import attrs

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

_ITEM_KEYS = words(
    """
    acknowledged_safety_checks action actions allowed_callers allowed_domains allowed_tools always
    annotations approval_request_id approve arguments attributes authorization background button
    bytes call_id caller caller_id city code command commands connector_id container container_id
    content context context_management conversation country data defer_loading definition
    description detail diff display_height display_width domain domain_secrets effort
    embedding_weight encrypted_content end_index env environment error execution exit_code
    external_web_access file_data file_id file_ids file_url filename filters fingerprint format
    generate_summary headers hybrid_search id image_url index input input_fidelity input_image_mask
    input_schema instructions key keys logprob logprobs logs max_num_results max_output_length
    max_output_tokens max_tool_calls media_type memory_limit message metadata mode model moderation
    name namespace network_policy never operation outcome output output_compression output_format
    output_schema outputs parallel_tool_calls parameters partial_images path pattern
    pending_safety_checks phase policy previous_response_id prompt prompt_cache_breakpoint
    prompt_cache_key prompt_cache_options prompt_cache_retention quality queries query ranker
    ranking_options read_only reason reasoning refusal region require_approval result results role
    safety_identifier schema score score_threshold scroll_x scroll_y search_content_types
    search_context_size server_description server_label server_url service_tier size skill_id
    skills source sources start_index status stderr stdout strict summary syntax temperature text
    text_weight timeout_ms timezone title token tool_choice tool_names tools top_logprobs top_p
    truncation ttl tunnel_id type url user user_location value variables vector_store_ids verbosity
    version working_directory x y
    """
)
REQUEST_KEYS = words(
    "compact_threshold include include_obfuscation json_schema store stream stream_options"
)
ANSWER_KEYS = words(
    """
    annotation annotation_index cache_write_tokens cached_tokens categories
    category_applied_input_types category_scores command_index completed_at content_index created_at
    created_by delta flagged incomplete_details input_tokens input_tokens_details item item_id
    object obfuscation output_index output_text output_tokens output_tokens_details param part
    partial_image_b64 partial_image_index reasoning_tokens response sequence_number summary_index
    total_tokens transcript usage
    """
)
_TYPES = words(
    f"""
    additional_tools allowed_tools allowlist and apply_patch apply_patch_call
    apply_patch_call_output approximate auto base64 click code_interpreter code_interpreter_call
    compaction compaction_trigger computer computer_call computer_call_output computer_screenshot
    computer_use computer_use_preview container_auto container_file_citation container_reference
    create_file custom custom_tool_call custom_tool_call_output delete_file direct disabled
    double_click drag eq error exec exit file_citation file_path file_search file_search_call
    find_in_page function function_call function_call_output grammar gt gte http_error image
    image_generation image_generation_call in inline input_file input_image input_text
    item_reference json_object json_schema keypress local local_shell local_shell_call
    local_shell_call_output logs lt lte mcp mcp_approval_request mcp_approval_response mcp_call
    mcp_list_tools mcp_protocol_error mcp_tool_execution_error message moderation_result move
    namespace ne nin open_page or output_text program program_output programmatic_tool_calling
    reasoning reasoning_text refusal screenshot scroll search shell shell_call shell_call_output
    skill_reference summary_text text timeout tool_search tool_search_call tool_search_output type
    update_file url url_citation wait web_search web_search_2025_08_26 web_search_call
    web_search_preview web_search_preview_2025_03_11 {SCHEMA_TYPES}
    """
)
_VALUES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "action": words("auto edit generate"),
        "background": words("auto opaque transparent"),
        "button": words("back forward left right wheel"),
        "context": words("all_turns auto current_turn"),
        "detail": words("auto high low original"),
        "effort": words("high low max medium minimal none xhigh"),
        "environment": words("browser linux mac ubuntu windows"),
        "execution": words("client server"),
        "format": words(f"text grammar {SCHEMA_FORMATS}"),
        "generate_summary": words("auto concise detailed"),
        "include": words(
            """
            code_interpreter_call.outputs computer_call_output.output.image_url
            file_search_call.results message.input_image.image_url message.output_text.logprobs
            reasoning.encrypted_content web_search_call.action.sources web_search_call.results
            """
        ),
        "input_fidelity": words("high low"),
        "mode": words("auto block explicit implicit pro required score standard"),
        "moderation": words("auto low"),
        "object": words("response"),
        "output_format": words("jpeg png webp"),
        "phase": words("commentary final_answer"),
        "prompt_cache_retention": words("24h in_memory"),
        "quality": words("auto high low medium"),
        "reason": words("content_filter max_output_tokens"),
        "require_approval": words("always never"),
        "role": words("assistant critic developer discriminator system tool unknown user"),
        "search_context_size": words("high low medium"),
        "service_tier": words("auto default fast flex priority scale ultrafast"),
        "size": words("1024x1024 1024x1536 1536x1024 auto"),
        "status": words(
            """
            calling cancelled completed failed generating in_progress incomplete interpreting queued
            searching
            """
        ),
        "summary": words("auto concise detailed"),
        "syntax": words("lark regex"),
        "tool_choice": words("auto none required"),
        "truncation": words("auto disabled"),
        "type": _TYPES,
        "verbosity": words("high low medium"),
    }
)
_EVENTS = words(
    """
    audio.delta audio.done audio.transcript.delta audio.transcript.done
    code_interpreter_call.completed code_interpreter_call.in_progress
    code_interpreter_call.interpreting code_interpreter_call_code.delta
    code_interpreter_call_code.done completed content_part.added content_part.done created
    custom_tool_call_input.delta custom_tool_call_input.done failed file_search_call.completed
    file_search_call.in_progress file_search_call.searching function_call_arguments.delta
    function_call_arguments.done image_generation_call.completed image_generation_call.generating
    image_generation_call.in_progress image_generation_call.partial_image in_progress incomplete
    mcp_call.completed mcp_call.failed mcp_call.in_progress mcp_call_arguments.delta
    mcp_call_arguments.done mcp_list_tools.completed mcp_list_tools.failed
    mcp_list_tools.in_progress output_item.added output_item.done output_text.annotation.added
    output_text.delta output_text.done queued reasoning_summary_part.added
    reasoning_summary_part.done reasoning_summary_text.delta reasoning_summary_text.done
    reasoning_text.delta reasoning_text.done refusal.delta refusal.done shell_call_command.added
    shell_call_command.delta shell_call_command.done shell_call_output_content.delta
    shell_call_output_content.done web_search_call.completed web_search_call.in_progress
    web_search_call.searching
    """
)
_PAYLOADS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "data": is_base64,
        "encrypted_content": is_base64,
        "file_data": is_file,
        "image_url": is_data_url,
        "partial_image_b64": is_base64,
        "result": is_base64,
        "url": is_data_url,
    }
)
_TOOL_OUTPUTS = words(
    """
    apply_patch_call_output computer_call_output custom_tool_call_output function_call_output
    local_shell_call_output mcp_list_tools program_output shell_call_output tool_search_output
    """
)

REQUEST = Tables(
    keys=_ITEM_KEYS | REQUEST_KEYS | SCHEMA_KEYS,
    values=_VALUES,
    payloads=_PAYLOADS,
    exempt=frozenset(),
    surfaces=MappingProxyType(
        {
            "instructions": Surface.SYSTEM,
            "input": Surface.USER,
            "prompt": Surface.PROMPT,
            "tools": Surface.TOOL_DESCRIPTION,
            "arguments": Surface.TOOL_ARGUMENTS,
            "output": Surface.TOOL_RESULT,
        }
    ),
    roles=MappingProxyType(
        {
            "system": Surface.SYSTEM,
            "developer": Surface.SYSTEM,
            "user": Surface.USER,
            "assistant": Surface.ASSISTANT,
        }
    ),
    types=MappingProxyType(
        {
            **dict.fromkeys(_TOOL_OUTPUTS, Surface.TOOL_RESULT),
            "reasoning": Surface.ASSISTANT,
            "output_text": Surface.ASSISTANT,
        }
    ),
    embedded=frozenset({"arguments"}),
)

_SENT_BACK = words(
    "instructions metadata prompt prompt_cache_key safety_identifier text tool_choice tools user"
)
"""Fields of the request, which an answer repeats: the client wrote them, and they were judged."""
_OF_RESPONSE: tuple[tuple[str, ...], ...] = (
    ("id",),
    ("model",),
    ("previous_response_id",),
    ("conversation",),
    *((name,) for name in sorted(_SENT_BACK)),
)
_OF_ITEM: tuple[tuple[str, ...], ...] = (("id",), ("call_id",), ("container_id",))

ANSWER = Tables(
    keys=_ITEM_KEYS | ANSWER_KEYS | SCHEMA_KEYS,
    values=_VALUES,
    payloads=_PAYLOADS,
    exempt=frozenset(
        {
            *_OF_RESPONSE,
            *(("output", *path) for path in _OF_ITEM),
            ("output", "content", "logprobs"),
        }
    ),
    surfaces=MappingProxyType(
        {
            "arguments": Surface.TOOL_ARGUMENTS,
            "content": Surface.CONTENT,
            "output_text": Surface.CONTENT,
            "refusal": Surface.REFUSAL,
            "summary": Surface.REASONING,
            "transcript": Surface.CONTENT,
        }
    ),
    roles=MappingProxyType({}),
    types=MappingProxyType(
        {
            **dict.fromkeys(_TOOL_OUTPUTS, Surface.TOOL_RESULT),
            "output_text": Surface.CONTENT,
            "reasoning_text": Surface.REASONING,
            "summary_text": Surface.REASONING,
            "response.output_text.delta": Surface.CONTENT,
            "response.output_text.done": Surface.CONTENT,
            "response.audio.transcript.delta": Surface.CONTENT,
            "response.refusal.delta": Surface.REFUSAL,
            "response.reasoning_text.delta": Surface.REASONING,
            "response.reasoning_text.done": Surface.REASONING,
            "response.reasoning_summary_text.delta": Surface.REASONING,
            "response.reasoning_summary_text.done": Surface.REASONING,
            "response.function_call_arguments.delta": Surface.TOOL_ARGUMENTS,
            "response.mcp_call_arguments.delta": Surface.TOOL_ARGUMENTS,
        }
    ),
    embedded=frozenset({"arguments"}),
    joins_parts=False,
)

EVENT = attrs.evolve(
    ANSWER,
    values=MappingProxyType({**_VALUES, "type": _TYPES | {f"response.{name}" for name in _EVENTS}}),
    exempt=frozenset(
        {
            ("obfuscation",),
            ("item_id",),
            ("logprobs",),
            *(("response", *path) for path in ANSWER.exempt),
            *(("item", *path) for path in _OF_ITEM),
            ("item", "content", "logprobs"),
            ("item", "content", "annotations"),
            ("part", "logprobs"),
            # Their offsets would be wrong where a text is edited: they are removed where rules act.
            ("annotation",),
            ("part", "annotations"),
            ("response", "output", "content", "annotations"),
        }
    ),
)
"""One event of a streamed answer: what is exempt in an answer is exempt where an event has it."""

OPENING_EVENT = attrs.evolve(EVENT, embedded=frozenset())
"""An event that opens an item: its arguments may be no more than their beginning."""
