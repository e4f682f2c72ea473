"""Explain a plan: text, a picture and tables for people, data for programs."""

from kt.explain.cardinality import cardinality_text
from kt.explain.coverage import coverage_text
from kt.explain.failures import failures_text
from kt.explain.mermaid import mermaid_text
from kt.explain.text import explain_text
from kt.explain.trace import trace_text

__all__ = [
    "cardinality_text",
    "coverage_text",
    "explain_text",
    "failures_text",
    "mermaid_text",
    "trace_text",
]
