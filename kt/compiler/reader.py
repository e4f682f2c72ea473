"""Read YAML text into a tree with positions.

In: a Source without byte-order mark. Out: Tree, every problem reported. Never: aliases, anchors,
tags, merge keys, duplicate keys, more than one document, unbounded size or depth.
"""

import re
from collections.abc import Iterator

import attrs
import yaml

from kt.compiler.scalars import FORBIDDEN, resolve
from kt.compiler.tree import Entry, Map, Node, Scalar, Seq
from kt.diagnostics import Related, Report
from kt.source import NOWHERE, Source, Span
from kt.units import show_size

MAX_BYTES = 2**20
MAX_DEPTH = 32

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML has it: ten times as fast, the same events and marks (law)."""


class TooDeep(Exception):
    """The tree ends here: `span` opens one level too many."""

    def __init__(self, span: Span) -> None:
        self.span = span


def read(source: Source, report: Report) -> Map | None:
    """Read the text's one document, a map. None if there is no tree to go on with."""
    if not _is_readable(source, report):
        return None
    try:
        root = _Builder(source, report, _events(source.text)).document()
    except TooDeep as deep:
        report.add("too_deep", deep.span, limit=str(MAX_DEPTH))
    except yaml.MarkedYAMLError as error:
        _report_syntax(source, report, error)
    except yaml.YAMLError:
        report.add("not_yaml", NOWHERE, problem="it cannot be scanned")
    else:
        return _as_map(root, report)
    return None


def _is_readable(source: Source, report: Report) -> bool:
    if len(source.text) > MAX_BYTES or len(source.text.encode(errors="replace")) > MAX_BYTES:
        report.add("too_large", NOWHERE, limit=show_size(MAX_BYTES))
        return False
    bad = None
    for bad in FORBIDDEN.finditer(source.text):
        report.add("forbidden_character", Span(*bad.span()), character=f"U+{ord(bad[0]):04X}")
    return bad is None


def _events(text: str) -> Iterator[yaml.Event]:
    events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
    return events


def _as_map(root: Node | None, report: Report) -> Map | None:
    match root:
        case Map():
            return root
        case None | Scalar(value=None):
            report.add("empty_text", NOWHERE)
        case _:
            report.add("wrong_type", root.span, expected="a map of sections", found=root.found)
    return None


def _report_syntax(source: Source, report: Report, error: yaml.MarkedYAMLError) -> None:
    related: tuple[Related, ...] = ()
    if error.context_mark and error.problem_mark:
        related = (Related("it began", _point(source, error.context_mark)),)
    mark = error.problem_mark or error.context_mark
    span = _point(source, mark) if mark else NOWHERE
    is_flow = "${" in source.line(source.position(span.start)[0])
    hint = "inside braces and brackets, quote a value with a '${'" if is_flow else None
    report.add("not_yaml", span, problem=_problem(error), hint=hint, related=related)


def _point(source: Source, mark: yaml.Mark) -> Span:
    at = min(mark.index, len(source.text))
    return Span(at, min(at + 1, len(source.text)))


def _problem(error: yaml.MarkedYAMLError) -> str:
    context = f"{error.context}, " if error.context else ""
    return f"{context}{error.problem or 'it cannot be scanned'}"


@attrs.define
class _Builder:
    """Builds nodes from the parser's events, which come one at a time."""

    source: Source
    report: Report
    events: Iterator[yaml.Event]

    def document(self) -> Node | None:
        """The first document's root; what follows it is reported."""
        root = None
        seen = False
        for event in self.events:
            if not isinstance(event, yaml.DocumentStartEvent):
                continue
            if seen:
                self.report.add("second_document", _span(event))
                break
            if event.version or event.tags:
                self.report.add("directive", _span(event))
            seen = True
            root = self.node(next(self.events), depth=1)
        return root

    def node(self, event: yaml.Event, depth: int) -> Node:
        """The node that starts with this event."""
        span = _span(event)
        if depth > MAX_DEPTH:
            raise TooDeep(span)
        self._refuse(event, span)
        if isinstance(event, yaml.MappingStartEvent):
            return self._map(span, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._seq(span, depth)
        return self._scalar(event, span)

    def _refuse(self, event: yaml.Event, span: Span) -> None:
        anchor: str | None = getattr(event, "anchor", None)
        tag: str | None = getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            hint = "write the value out again"
            self.report.add("alias", span, word=anchor or "", hint=hint)
        elif anchor is not None:
            self.report.add("anchor", span, word=anchor, hint="remove it")
        if tag is not None:
            hint = "remove it; quote a value to make it a string"
            word = tag.replace("tag:yaml.org,2002:", "!!")
            self.report.add("tag", span, word=word, hint=hint)

    def _scalar(self, event: yaml.Event, span: Span) -> Scalar:
        text: str = getattr(event, "value", "")
        for lone in _LONE_SURROGATE.findall(text):
            # One of PyYAML's two parsers lets an escape make one; no text can be encoded with it.
            self.report.add("forbidden_character", span, character=f"U+{ord(lone):04X}")
        is_quoted = bool(getattr(event, "style", None))
        if is_quoted or isinstance(event, yaml.AliasEvent):
            return Scalar(text, span, text)
        try:
            return Scalar(resolve(text), span, text)
        except ValueError:
            self.report.add("number_not_finite", span, hint="quote it to make it a string")
            return Scalar(0, span, text)

    def _seq(self, span: Span, depth: int) -> Seq:
        items: list[Node] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                span = _closed(span, _span(event), items[-1].span if items else span)
                break
            items.append(self.node(event, depth + 1))
        return Seq(tuple(items), span)

    def _map(self, span: Span, depth: int) -> Map:
        entries: dict[str, Entry] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                last = list(entries.values())[-1].value.span if entries else span
                span = _closed(span, _span(event), last)
                break
            key = self._key(self.node(event, depth + 1))
            value = self.node(next(self.events), depth + 1)
            if key is not None:
                self._enter(entries, Entry(key, value))
        return Map(tuple(entries.values()), span)

    def _key(self, node: Node) -> Scalar | None:
        if isinstance(node, Scalar) and node.text and node.text != "<<":
            return node
        is_merge = isinstance(node, Scalar) and node.text == "<<"
        self.report.add("merge_key" if is_merge else "complex_key", node.span)
        return None

    def _enter(self, entries: dict[str, Entry], entry: Entry) -> None:
        first = entries.setdefault(entry.key.text, entry)
        if first is not entry:
            related = (Related("first given", first.key.span),)
            self.report.add("duplicate_key", entry.key.span, word=entry.key.text, related=related)


def _span(event: yaml.Event) -> Span:
    start, end = event.start_mark, event.end_mark
    assert start is not None and end is not None  # noqa: S101, PT018 - the parser marks every event
    return Span(start.index, end.index)


def _closed(start: Span, end: Span, last: Span) -> Span:
    """The span of a collection. A block's end mark is where the next token stands: too far."""
    is_flow = end.end > end.start
    return Span(start.start, end.end if is_flow else max(start.end, last.end))
