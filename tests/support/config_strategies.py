"""Configurations for laws: valid ones as data, their YAML in two styles, and broken texts."""

import json
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.support.cases import FIXTURES, load

Data = dict[str, Any]  # Any: a YAML document

WHOLE = load(FIXTURES / "examples" / "performance_tuning.case").config
"""Every section and nearly every key, valid."""

TOO_MUCH = "".join(chr(code) for code in (0, 7, 0x85, 0x2028, 0xD800, 0xFEFF, 0x1F600))


def durations() -> st.SearchStrategy[str]:
    """Spellings of durations, short ones too, so that limits are cut."""
    return st.builds("{}{}".format, st.integers(1, 90), st.sampled_from(["ms", "s", "m"]))


def sizes() -> st.SearchStrategy[str]:
    """Spellings of sizes."""
    return st.builds("{}{}".format, st.integers(1, 99), st.sampled_from(["b", "kb", "KB", "MiB"]))


def section(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Data]:
    """A map in which every key may be left out."""
    return st.fixed_dictionaries({}, optional=keys)


def gateways() -> st.SearchStrategy[Data]:
    """The `gateway` section."""
    return section(
        listen_port=st.integers(1, 65535),
        server_timing=st.booleans(),
        timeouts=section(
            connect=durations(),
            first_byte_timeout=durations(),
            request=durations(),
            idle=durations(),
            policy_eval=durations(),
            streaming_idle=durations(),
        ),
        buffers=section(
            request_body_limit=sizes(), response_body_limit=sizes(), streaming_buffer=sizes()
        ),
        concurrency=section(
            max_concurrent_requests=st.integers(1, 999),
            max_queue_size=st.integers(0, 999),
            queue_timeout=durations(),
        ),
        connection_pool=section(max_idle_per_host=st.integers(0, 99), idle_timeout=durations()),
        streaming=section(passthrough_chunked=st.booleans()),
    )


def blocks() -> st.SearchStrategy[Data]:
    """The `policy` section."""
    markers = st.dictionaries(
        st.sampled_from(["EMAIL", "SSN", "PHONE"]), st.text("abX-", max_size=4)
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "pii-detector": section(
                action=st.sampled_from(["block", "redact"]),
                pci_mode=st.booleans(),
                detect_patterns=st.lists(
                    st.sampled_from(["ab+c", "x{2,5}", r"\bkey\b"]), max_size=2
                ),
                redaction=section(custom_markers=markers),
                fail_open=st.booleans(),
            ),
            "prompt-injection": section(fail_closed=st.booleans()),
            "audit-logger": section(
                log_all_access=st.booleans(), retention_days=st.integers(1, 99)
            ),
        },
    )


ENTRIES: tuple[Any, ...] = (
    "prompt-injection",
    "pii-detector",
    "audit-logger",
    {"prompt-injection": {"stage": "post-response"}},
    {"pii-detector": {"when": 'header["x-env"] == "prod" and not request.stream'}},
    {"prompt-injection": {"when": {"path": "/v1/chat", "model": ["a", "b"]}}},
    {"audit-logger": {"when": {"header": {"x-env": "prod"}}}},
)


def place_of(entry: Any) -> str:
    """What at most one entry may say: a kind in a stage."""
    if isinstance(entry, str):
        return entry
    ((kind, options),) = entry.items()
    return f"{kind} {options['stage']}" if "stage" in options else kind


def configs() -> st.SearchStrategy[Data]:
    """Valid configurations."""
    targets = st.lists(st.sampled_from("abc"), unique=True, max_size=3).map(
        lambda names: [{"id": name, "provider": "openai", "model": name} for name in names]
    )
    return section(
        pack=st.fixed_dictionaries(
            {
                "name": st.text("abc", min_size=1),
                "version": st.just("1.0.0"),
                "enabled": st.booleans(),
            }
        ),
        policies=section(chain=st.lists(st.sampled_from(ENTRIES), unique_by=place_of)),
        policy=blocks(),
        providers=section(targets=targets, routing=st.just({"strategy": "ordered"})),
        gateway=gateways(),
    ).filter(bool)


def to_block(data: Data) -> str:
    """Indented YAML."""
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    return text


def to_flow(data: Data) -> str:
    """JSON, which is YAML too."""
    return json.dumps(data)


@st.composite
def permuted(draw: st.DrawFn, data: Any) -> Any:
    """The same data with the keys of every map in another order."""
    if isinstance(data, list):
        return [draw(permuted(item)) for item in data]
    if not isinstance(data, dict):
        return data
    keys = draw(st.permutations(list(data)))
    return {key: draw(permuted(data[key])) for key in keys}


@st.composite
def broken_texts(draw: st.DrawFn) -> str:
    """A valid text with pieces cut, doubled or replaced by what YAML minds."""
    text = WHOLE
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.integers(0, 30)))
        pieces = [
            text[at:end] * 2,
            "",
            "*a",
            "&a",
            "!!int ",
            "? ",
            "- ",
            "[" * 40,
            "<<: ",
            "\t",
            "'",
        ]
        piece = draw(
            st.sampled_from([*pieces, *TOO_MUCH, ": ", "\n---\n", "${X}", ".inf", "9" * 400])
        )
        text = text[:at] + piece + text[end:]
    return text


def texts() -> st.SearchStrategy[str]:
    """Any text at all, and texts that are nearly right."""
    yamlish = st.text(alphabet="ab:- \n[]{}\"'#&*!|>%?,~\t1.", max_size=60)
    return st.one_of(st.text(st.characters(codec=None)), yamlish, broken_texts())
