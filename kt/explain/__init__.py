"""Explain a plan: text, a picture and tables for people, and the same as data for programs."""

from kt.explain.cardinality import cardinality, cardinality_text
from kt.explain.coverage import coverage, coverage_text
from kt.explain.document import explanation
from kt.explain.failures import failures, failures_text
from kt.explain.mermaid import mermaid_text
from kt.explain.patterns import patterns_text, searched
from kt.explain.text import explain_text
from kt.explain.trace import trace_text

__all__ = [
    "cardinality",
    "cardinality_text",
    "coverage",
    "coverage_text",
    "explain_text",
    "explanation",
    "failures",
    "failures_text",
    "mermaid_text",
    "patterns_text",
    "searched",
    "trace_text",
]
