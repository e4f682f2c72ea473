"""What is wrong with a configuration: codes, diagnostics, the report, and how it is shown.

In: findings of the compiler's stages. Out: text with place, code, excerpt and hint. Never: a
message written at the point of use, an excerpt that shows a secret.
"""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

import attrs

from kt.errors import ConfigError
from kt.source import Source, Span


@attrs.frozen
class Code:
    """One kind of finding: its number, its message and whether the text it points at is secret."""

    number: str
    template: str
    is_secret: bool = False

    @property
    def is_warning(self) -> bool:
        """Whether the configuration compiles all the same."""
        return self.number.startswith("KT6")


CODES: Mapping[str, Code] = MappingProxyType(
    {
        "not_yaml": Code("KT101", "not valid YAML: {problem}"),
        "too_large": Code("KT102", "the text is larger than {limit}"),
        "too_deep": Code("KT103", "nested deeper than {limit} levels"),
        "forbidden_character": Code("KT104", "the character {character} is not allowed"),
        "empty_text": Code("KT105", "there is no configuration in the text"),
        "second_document": Code("KT106", "a second document starts here"),
        "duplicate_key": Code("KT107", "the key '{word}' is given twice"),
        "alias": Code("KT108", "the alias '*{word}' is not supported"),
        "anchor": Code("KT109", "the anchor '&{word}' is not supported"),
        "tag": Code("KT110", "the tag '{word}' is not supported"),
        "complex_key": Code("KT111", "a key must be a plain word"),
        "merge_key": Code("KT112", "the merge key '<<' is not supported"),
        "number_not_finite": Code("KT113", "not a number that can be stored exactly"),
        "directive": Code("KT114", "YAML directives are not supported"),
        "wrong_type": Code("KT201", "expected {expected}, found {found}"),
        "unknown_key": Code("KT202", "unknown key '{word}'"),
        "missing_key": Code("KT203", "the key '{word}' is missing"),
        "unknown_word": Code("KT204", "'{word}' is not one of the possible values"),
        "bad_duration": Code("KT205", "'{word}' is not a duration: {problem}"),
        "bad_size": Code("KT206", "'{word}' is not a size: {problem}"),
        "out_of_range": Code("KT207", "must be from {least} to {most}"),
        "given_twice": Code("KT208", "'{word}' and '{other}' mean the same and differ"),
        "bad_chain_entry": Code("KT210", "a chain entry is a kind, or a map with one kind as key"),
        "secret_sources": Code("KT211", "'secret_key_ref' needs exactly one of 'env' and 'store'"),
        "bad_secret_name": Code("KT212", "this is not the name of a secret", is_secret=True),
        "literal_secret": Code("KT213", "a secret is written into the file", is_secret=True),
        "bad_url": Code("KT214", "not a usable base URL: {problem}", is_secret=True),
        "bad_header": Code("KT215", "not usable in an HTTP header"),
        "interpolation": Code("KT216", "this '${{' begins no reference to a variable"),
        "bad_length": Code("KT217", "must have from {least} to {most} characters"),
        "unset_variable": Code("KT230", "the variable '{word}' is not set"),
        "sunk": Code("KT232", "'{word}' stands where nothing reads it"),
        "misspelled": Code("KT233", "'{word}' is not known, and nearly what is"),
        "secret_variable": Code("KT231", "'{word}' is named like a secret, which nothing may show"),
        "policy.out_of_range": Code("KT218", "{message}"),
        "policy.conflict": Code("KT219", "{message}"),
        "policy.not_usable": Code("KT225", "{message}", is_secret=True),
        "bad_path": Code("KT220", "not usable as the path of a request"),
        "bad_network": Code("KT221", "'{word}' is no network"),
        "bad_origin": Code("KT222", "not an origin of web pages"),
        "any_origin_with_credentials": Code("KT223", "'*' goes with no 'credentials'"),
        "pattern.atomic_group": Code("KT301", "{message}"),
        "pattern.backreference": Code("KT302", "{message}"),
        "pattern.bad_code_point": Code("KT304", "{message}"),
        "pattern.bad_range": Code("KT305", "{message}"),
        "pattern.bad_repeat": Code("KT306", "{message}"),
        "pattern.comment": Code("KT307", "{message}"),
        "pattern.empty_set": Code("KT309", "{message}"),
        "pattern.lone_backslash": Code("KT310", "{message}"),
        "pattern.lookaround": Code("KT311", "{message}"),
        "pattern.late_flags": Code("KT312", "{message}"),
        "pattern.matches_empty": Code("KT313", "{message}"),
        "pattern.nothing_to_repeat": Code("KT314", "{message}"),
        "pattern.posix_set": Code("KT315", "{message}"),
        "pattern.possessive": Code("KT316", "{message}"),
        "pattern.property": Code("KT317", "{message}"),
        "pattern.repeat_too_large": Code("KT318", "{message}"),
        "pattern.too_deep": Code("KT319", "{message}"),
        "pattern.too_large": Code("KT320", "{message}"),
        "pattern.unbalanced": Code("KT321", "{message}"),
        "pattern.unclosed_set": Code("KT322", "{message}"),
        "pattern.unescaped_brace": Code("KT323", "{message}"),
        "pattern.unknown_escape": Code("KT324", "{message}"),
        "pattern.unknown_flag": Code("KT325", "{message}"),
        "pattern.unknown_group": Code("KT326", "{message}"),
        "filter.too_large": Code("KT330", "{message}"),
        "filter.too_deep": Code("KT331", "{message}"),
        "filter.too_many": Code("KT332", "{message}"),
        "filter.long_list": Code("KT333", "{message}"),
        "filter.bad_character": Code("KT334", "{message}"),
        "filter.unclosed_text": Code("KT335", "{message}"),
        "filter.missing_condition": Code("KT336", "{message}"),
        "filter.missing_operator": Code("KT337", "{message}"),
        "filter.double_operator": Code("KT338", "{message}"),
        "filter.missing_value": Code("KT339", "{message}"),
        "filter.missing_in": Code("KT340", "{message}"),
        "filter.name_as_value": Code("KT341", "{message}"),
        "filter.missing_and": Code("KT342", "{message}"),
        "filter.chained_comparison": Code("KT343", "{message}"),
        "filter.value_first": Code("KT344", "{message}"),
        "filter.unclosed_parenthesis": Code("KT345", "{message}"),
        "filter.unopened_parenthesis": Code("KT346", "{message}"),
        "filter.unclosed_list": Code("KT347", "{message}"),
        "filter.bad_list": Code("KT348", "{message}"),
        "filter.bad_exists": Code("KT349", "{message}"),
        "filter.bad_key": Code("KT350", "{message}"),
        "filter.unknown_field": Code("KT351", "{message}"),
        "filter.needs_key": Code("KT352", "{message}"),
        "filter.takes_no_key": Code("KT353", "{message}"),
        "filter.bad_header_name": Code("KT354", "{message}"),
        "filter.bad_number": Code("KT355", "{message}"),
        "filter.mixed_units": Code("KT356", "{message}"),
        "filter.wrong_type": Code("KT357", "{message}"),
        "filter.never_null": Code("KT358", "{message}"),
        "filter.wrong_operator": Code("KT359", "{message}"),
        "filter.needs_list": Code("KT360", "{message}"),
        "filter.no_list": Code("KT361", "{message}"),
        "filter.not_a_condition": Code("KT362", "{message}"),
        "filter.bad_pattern": Code("KT363", "{message}"),
        "unknown_kind": Code("KT401", "unknown policy kind '{word}'"),
        "duplicate_target": Code("KT402", "the target id '{word}' is given twice"),
        "unknown_provider": Code("KT403", "no base URL is known for the provider '{word}'"),
        "policy.unknown_entity": Code("KT405", "{message}"),
        "field_not_here": Code("KT406", "'{word}' is not known in the {phase} phase"),
        "credential": Code("KT407", "a condition cannot compare '{word}'", is_secret=True),
        "path_is_judged": Code("KT408", "'{word}' is a path whose bodies policies read"),
        "unknown_target": Code("KT430", "there is no target '{word}'"),
        "unknown_group": Code("KT431", "there is no model group '{word}'"),
        "group_cycle": Code("KT432", "the model group '{word}' falls back to itself"),
        "model_name_twice": Code("KT433", "two model groups answer to the name '{word}'"),
        "route_chain": Code("KT434", "a route cannot have policies of its own"),
        "duplicate_group": Code("KT409", "the consumer group '{word}' is given twice"),
        "client_key_twice": Code("KT410", "this key is given twice", is_secret=True),
        "second_default": Code("KT411", "'{word}' is a second default group"),
        "includes": Code("KT420", "the policies of other files are not read"),
        "same_phase_twice": Code("KT501", "'{word}' runs twice in the {phase} phase"),
        "stage_not_possible": Code("KT502", "'{word}' cannot run in the stage '{stage}'"),
        "trouble_contradiction": Code("KT503", "'fail_open' and 'fail_closed' contradict"),
        "not_enforced": Code("KT601", "'{word}' is set, but not enforced yet"),
        "unused_block": Code("KT602", "'{word}' is configured, but nothing uses it"),
        "no_unit": Code("KT603", "a number without a unit is read as {reading}"),
        "limit_cut": Code("KT604", "'{word}' is cut to {limit}"),
        "pattern.lazy_ignored.warning": Code("KT605", "{message}"),
        "policy.unknown_entity.warning": Code("KT606", "{message}"),
        "policy.unknown_marker.warning": Code("KT607", "{message}"),
        "policy.empty.warning": Code("KT608", "{message}"),
        "kind_not_enforced": Code("KT609", "'{word}' is not enforced yet"),
        "when_always": Code("KT610", "every request meets the condition of '{word}'"),
        "when_never": Code("KT611", "'{word}' never runs: no request meets its condition"),
        "branch_never": Code("KT612", "this alternative never decides: {word}"),
        "policy.not_found.warning": Code("KT613", "{message}"),
        "no_address": Code("KT614", "no base URL is known for the provider '{word}'"),
        "strategy_not_enforced": Code("KT615", "the strategy '{word}' is not enforced yet"),
        "route_never": Code("KT630", "the route '{word}' is never reached"),
        "literal_client_key": Code("KT616", "a client key is written here", is_secret=True),
        "group_without_key": Code("KT617", "nobody can be in the consumer group '{word}'"),
        "flush_yields": Code("KT620", "'flush_interval' does not hurry what {word} may hold back"),
        "needless_order": Code("KT619", "'order: free' changes nothing for '{word}'"),
    }
)
"""Name -> number and message: the only place where messages are written (docs/errors.md).

A row `pattern.<name>` is a finding of the rule dialect, `filter.<name>` one of the filter language,
`policy.<name>` one of a policy kind: what they say comes with them.
"""

SHOWN = 20
"""A person reads this many; the rest is counted."""

KEPT = 1000
"""Memory is bounded: of a text that is wrong everywhere, this many findings are kept."""

_WIDTH = 100
"""Of words in messages and of excerpts: what a terminal shows in one line."""


@attrs.frozen
class Related:
    """Another place that belongs to a finding."""

    label: str
    span: Span


@attrs.frozen(kw_only=True)
class Diagnostic:
    """One finding: what it is and where it stands."""

    name: str
    span: Span
    message: str
    hint: str | None = None
    related: tuple[Related, ...] = ()

    @property
    def code(self) -> Code:
        """The row of `CODES`."""
        return CODES[self.name]


_SENTENCE = 300

T = TypeVar("T")


@attrs.define
class Report:
    """Everything that was found in one source, while its stages run."""

    source: Source
    _errors: list[Diagnostic] = attrs.field(factory=list, init=False)
    _warnings: list[Diagnostic] = attrs.field(factory=list, init=False)
    _beyond: Counter[bool] = attrs.field(factory=Counter, init=False)
    """How many were not kept: warnings under True."""

    def add(
        self,
        name: str,
        span: Span,
        *,
        hint: str | None = None,
        related: tuple[Related, ...] = (),
        **words: str,
    ) -> None:
        """Record a finding; `words` fill the message of its code."""
        code = CODES[name]
        kept = self._warnings if code.is_warning else self._errors
        if len(kept) >= KEPT:
            self._beyond[code.is_warning] += 1
            return
        message = code.template.format(**{key: clean(word) for key, word in words.items()})
        hint = None if hint is None else clean(hint, _SENTENCE)
        kept.append(Diagnostic(name=name, span=span, message=message, hint=hint, related=related))

    def suggest(self, word: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
        """The hint that names the candidate nearest to a word, if one is near."""
        if len(self._errors) >= KEPT or len(word) > _WIDTH:
            return None
        near = difflib.get_close_matches(word, sorted(candidates), n=1, cutoff=cutoff)
        return f"did you mean '{near[0]}'?" if near else None

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What stops the compilation, by position."""
        return tuple(sorted(self._errors, key=_place))

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What a reader should know, by position."""
        return tuple(sorted(self._warnings, key=_place))

    def beyond(self, *, warnings: bool) -> int:
        """How many more errors, or warnings, were found than are kept."""
        return self._beyond[warnings]

    def checked(self, value: T | None) -> T:
        """Pass a stage's value on, or raise ConfigError with everything that is wrong so far."""
        if value is None or self._errors:
            raise ConfigError(self)
        return value

    def show(self) -> str:
        """All findings as text, errors first, each kind capped with a count of the rest."""
        shown = _capped(self.source, self.errors, self._beyond[False], "error")
        shown += _capped(self.source, self.warnings, self._beyond[True], "warning")
        return "\n".join(shown)


def _place(found: Diagnostic) -> tuple[int, int, str, str]:
    return (found.span.start, found.span.end, found.code.number, found.message)


def _capped(source: Source, found: tuple[Diagnostic, ...], beyond: int, noun: str) -> list[str]:
    shown = [render(source, one) for one in found[:SHOWN]]
    rest = len(found) - len(shown) + beyond
    return [*shown, f"and {rest} more {noun}{'s' * (rest > 1)}"] if rest else shown


def render(source: Source, found: Diagnostic) -> str:
    """One finding as text: place, code, message; the line with a caret; hint and related places."""
    number = found.code.number + (" warning:" if found.code.is_warning else "")
    lines = [f"{source.place(found.span)}: {number} {found.message}", *_excerpt(source, found)]
    if found.hint is not None:
        lines.append(f"    hint: {found.hint}")
    lines += [f"    {one.label} at {source.place(one.span)}" for one in found.related]
    return "\n".join(lines)


def _excerpt(source: Source, found: Diagnostic) -> list[str]:
    if found.span.end == 0:
        return []  # the text as a whole, or a flag: no line to show
    line_number, column = source.position(found.span.start)
    line = source.line(line_number)
    start = min(column - 1, len(line))
    width = max(1, min(found.span.end - found.span.start, len(line) - start))
    line = _without_secrets(line, start, width, found.code.is_secret)
    cut = max(0, start - _WIDTH // 2)
    window = clean(line[cut : cut + _WIDTH])
    caret = " " * (start - cut) + "^" * min(width, _WIDTH - (start - cut))
    gutter = f"{line_number:>5}"
    return [f"{gutter} | {window}", f"{' ' * len(gutter)} | {caret}"]


_SECRET = re.compile(
    r"(?i)((?:api[_-]?keys?|secret(?:[_-]?key)?|token|password)[\"']?\s*:\s*)(\S.*)"
    r"|(://)([^/@\s]+)(?=@)"
    r"|\b(sk-|kt_cg_)([\w-]+)"
    r"|\b(bearer[ :]+)([^\s\"']+)"
)
"""What is likely a secret: a value under such a name, a URL's credentials, a provider's key."""


def _without_secrets(line: str, start: int, width: int, is_secret: bool) -> str:
    """The line, equally long, with asterisks where a secret stands or is likely to stand."""
    if is_secret:
        line = line[:start] + "*" * width + line[start + width :]
    return _SECRET.sub(_starred, line)


def _starred(match: re.Match[str]) -> str:
    before, secret = (part for part in match.groups() if part is not None)
    return str(before) + "*" * len(secret)


def clean(text: str, limit: int = _WIDTH) -> str:
    """A word of the user's, safe and short enough for a terminal."""
    text = text[: limit + 1].replace("\t", " ")
    shown = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."
