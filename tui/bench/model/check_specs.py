"""Checks as suite files define them: one class per ``kind``, its fields are the TOML keys."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import msgspec


def _snake(name: str) -> str:
    return "".join("_" + char.lower() if char.isupper() else char for char in name).lstrip("_")


class _Spec(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag=_snake,
    forbid_unknown_fields=True,
):
    """Base class. The TOML key ``kind`` is the class name in snake case."""


class Nonempty(_Spec, frozen=True, kw_only=True):
    """The answer is not only white space."""


class NoLoop(_Spec, frozen=True, kw_only=True):
    """The answer has no repetition loop (:mod:`tui.bench.checks.loops`)."""


class Words(_Spec, frozen=True, kw_only=True):
    """The number of words, with a tolerance of ``slack_pct`` per cent on both limits."""

    min: int = 0
    max: int | None = None
    slack_pct: float = 0.0


class Sentences(_Spec, frozen=True, kw_only=True):
    min: int = 0
    max: int | None = None


class Paragraphs(_Spec, frozen=True, kw_only=True):
    min: int = 0
    max: int | None = None


class Bullets(_Spec, frozen=True, kw_only=True):
    """The number of list items."""

    min: int = 0
    max: int | None = None


class Lines(_Spec, frozen=True, kw_only=True):
    """The number of lines that are not blank."""

    min: int = 0
    max: int | None = None


class EndsSentence(_Spec, frozen=True, kw_only=True):
    """The answer ends with the end of a sentence."""


class Outline(_Spec, frozen=True, kw_only=True):
    """Least number of headings and numbered lines, and of their levels."""

    min_entries: int = 1
    min_levels: int = 1


class Keywords(_Spec, frozen=True, kw_only=True):
    """At least ``min`` groups occur; a group occurs if any of its words does."""

    groups: tuple[tuple[str, ...], ...]
    min: int | None = None
    """All groups if not given."""


class Times(_Spec, frozen=True, kw_only=True):
    """Least number of durations and dates of a plan."""

    min: int = 1


class Python(_Spec, frozen=True, kw_only=True):
    """A Python function of this name; the answer is parsed, never executed."""

    function: str
    annotations: bool = True
    docstring: bool = True
    errors: bool = True
    """The function has a ``raise`` or ``try`` statement."""


class JsonField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of a JSON object."""

    name: str
    type: Literal["text", "list", "number", "object", "boolean"] = "text"
    items: int | None = None
    item_keys: tuple[str, ...] = ()
    min_words: int | None = None
    max_words: int | None = None


class Json(_Spec, frozen=True, kw_only=True):
    """A JSON object with these fields. ``slack_pct`` is the tolerance of word limits in per
    cent."""

    fields: tuple[JsonField, ...]
    slack_pct: float = 10.0


class StartsWith(_Spec, frozen=True, kw_only=True):
    text: str


class EndsWith(_Spec, frozen=True, kw_only=True):
    text: str


class Contains(_Spec, frozen=True, kw_only=True):
    """Each text occurs at least ``times`` times; case is ignored."""

    texts: tuple[str, ...]
    times: int = 1


class Excludes(_Spec, frozen=True, kw_only=True):
    """None of the texts occurs, case ignored: words as whole words, signs anywhere."""

    texts: tuple[str, ...]


class Casing(_Spec, frozen=True, kw_only=True):
    """All letters have this case."""

    case: Literal["lower", "upper"]


class Matches(_Spec, frozen=True, kw_only=True):
    """The whole answer, without white space around it, matches the regular expression."""

    pattern: str
    what: str = "the required form"


class FileName(_Spec, frozen=True, kw_only=True):
    """The answer is one file name: words joined by ``separator``, with extension and length."""

    extension: str
    separator: str = "-"
    max_length: int = 60
    must_contain: tuple[str, ...] = ()
    date_first: str | None = None
    """The name begins with this date."""


class Script(_Spec, frozen=True, kw_only=True):
    """At least this share of the letters is in one of these scripts."""

    scripts: tuple[str, ...]
    min_share: float = 0.6
    ignore_code: bool = True


class Language(_Spec, frozen=True, kw_only=True):
    """The text is in this language, by its function words and letters."""

    language: Literal["en", "hu", "vi", "zh", "ar"]


class Strings(_Spec, frozen=True, kw_only=True):
    """A JSON object of translated user interface strings, with the keys and placeholders of
    ``source``."""

    source: dict[str, str]
    language: Literal["en", "hu", "vi", "zh", "ar"]


class Comments(_Spec, frozen=True, kw_only=True):
    """The unchanged code, with at least ``min`` comments in this language."""

    code: str
    language: Literal["en", "hu", "vi", "zh", "ar"]
    min: int = 2


class Violation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of a file that violates a rule."""

    line: int
    rule: str


class Findings(_Spec, frozen=True, kw_only=True):
    """A JSON list of {"line", "rule"}, scored against the known violations in a file."""

    expected: tuple[Violation, ...]
    rules: tuple[str, ...]
    tolerance: int = 1
    """Allowed difference of the line."""
    min_accuracy: float = 0.7


class Equals(_Spec, frozen=True, kw_only=True):
    """The answer, without white space around it, is this text."""

    text: str


class HasText(_Spec, frozen=True, kw_only=True):
    """The text occurs in the answer. ``any_case``: ignore case."""

    text: str
    any_case: bool = False


class HasMatch(_Spec, frozen=True, kw_only=True):
    """The regular expression matches somewhere in the answer."""

    pattern: str


class ValidJson(_Spec, frozen=True, kw_only=True):
    """The answer is one JSON value and nothing else."""


class Latency(_Spec, frozen=True, kw_only=True):
    """The time from request to end of the answer is at most ``max_ms``."""

    max_ms: float


class Not(_Spec, frozen=True, kw_only=True):
    """The inner check fails."""

    check: CheckSpec


CheckSpec: TypeAlias = (
    Nonempty
    | NoLoop
    | Words
    | Sentences
    | Paragraphs
    | Bullets
    | Lines
    | EndsSentence
    | Outline
    | Keywords
    | Times
    | Python
    | Json
    | StartsWith
    | EndsWith
    | Contains
    | Excludes
    | Casing
    | Matches
    | FileName
    | Script
    | Language
    | Strings
    | Comments
    | Findings
    | Equals
    | HasText
    | HasMatch
    | ValidJson
    | Latency
    | Not
)

INSTRUCTIONS = (
    Words,
    Sentences,
    Paragraphs,
    Bullets,
    Lines,
    Keywords,
    StartsWith,
    EndsWith,
    Contains,
    Excludes,
    Casing,
    Matches,
    FileName,
)
"""Checks with a loose verdict too (:func:`tui.bench.checks.run.lenient`)."""


def kind_of(spec: CheckSpec) -> str:
    """The check's ``kind`` in a suite file; for ``Not``, the inner kind after ``not_``."""
    if isinstance(spec, Not):
        return f"not_{kind_of(spec.check)}"
    return _snake(type(spec).__name__)


def kinds() -> tuple[str, ...]:
    """All kinds."""
    return tuple(_snake(member.__name__) for member in get_args(CheckSpec))
