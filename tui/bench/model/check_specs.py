"""Check definitions in suite files, one record per ``kind``."""

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
    """Base: the TOML key ``kind`` is the class name in snake case."""


class Nonempty(_Spec, frozen=True, kw_only=True):
    """Something other than white space."""


class NoLoop(_Spec, frozen=True, kw_only=True):
    """No repetition loop (:mod:`tui.bench.checks.loops`)."""


class Words(_Spec, frozen=True, kw_only=True):
    """A number of words, with ``slack_pct`` per cent of grace on both sides."""

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
    """A number of list items."""

    min: int = 0
    max: int | None = None


class Lines(_Spec, frozen=True, kw_only=True):
    """A number of lines that are not blank."""

    min: int = 0
    max: int | None = None


class EndsSentence(_Spec, frozen=True, kw_only=True):
    """The last character closes a sentence."""


class Outline(_Spec, frozen=True, kw_only=True):
    """Headings or numbered levels: how many, on how many levels."""

    min_entries: int = 1
    min_levels: int = 1


class Keywords(_Spec, frozen=True, kw_only=True):
    """At least ``min`` of the groups occur; any word of a group will do."""

    groups: tuple[tuple[str, ...], ...]
    min: int | None = None
    """All of them where it is not given."""


class Times(_Spec, frozen=True, kw_only=True):
    """Durations and dates of a plan."""

    min: int = 1


class Python(_Spec, frozen=True, kw_only=True):
    """A Python function, parsed and never run."""

    function: str
    annotations: bool = True
    docstring: bool = True
    errors: bool = True
    """It raises, or catches, something."""


class JsonField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of a JSON object."""

    name: str
    type: Literal["text", "list", "number", "object", "boolean"] = "text"
    items: int | None = None
    item_keys: tuple[str, ...] = ()
    min_words: int | None = None
    max_words: int | None = None


class Json(_Spec, frozen=True, kw_only=True):
    """A JSON object with these fields. ``slack_pct`` is the grace of the word ranges."""

    fields: tuple[JsonField, ...]
    slack_pct: float = 10.0


class StartsWith(_Spec, frozen=True, kw_only=True):
    text: str


class EndsWith(_Spec, frozen=True, kw_only=True):
    text: str


class Contains(_Spec, frozen=True, kw_only=True):
    """Each of the texts occurs, in any case, at least ``times`` times."""

    texts: tuple[str, ...]
    times: int = 1


class Excludes(_Spec, frozen=True, kw_only=True):
    """None of the words occurs, in any case, as a whole word; marks are found anywhere."""

    texts: tuple[str, ...]


class Casing(_Spec, frozen=True, kw_only=True):
    """Every letter is of that case."""

    case: Literal["lower", "upper"]


class Matches(_Spec, frozen=True, kw_only=True):
    """The whole answer matches the regular expression, white space around it aside."""

    pattern: str
    what: str = "the asked form"


class FileName(_Spec, frozen=True, kw_only=True):
    """One file name and nothing else: words joined by ``separator``, extension, length."""

    extension: str
    separator: str = "-"
    max_length: int = 60
    must_contain: tuple[str, ...] = ()
    date_first: str | None = None
    """The name begins with this date."""


class Script(_Spec, frozen=True, kw_only=True):
    """At least this share of the letters is of one of these scripts."""

    scripts: tuple[str, ...]
    min_share: float = 0.6
    ignore_code: bool = True


class Language(_Spec, frozen=True, kw_only=True):
    """The text is in this language, by its function words and letters."""

    language: Literal["en", "hu", "vi", "zh", "ar"]


class Strings(_Spec, frozen=True, kw_only=True):
    """A JSON object of user interface strings: these keys, placeholders kept, translated."""

    source: dict[str, str]
    language: Literal["en", "hu", "vi", "zh", "ar"]


class Comments(_Spec, frozen=True, kw_only=True):
    """The same code with comments in this language."""

    code: str
    language: Literal["en", "hu", "vi", "zh", "ar"]
    min: int = 2


class Violation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One place in a file that breaks a rule."""

    line: int
    rule: str


class Findings(_Spec, frozen=True, kw_only=True):
    """A JSON list of {"line", "rule"}: scored against what is known to be wrong in the file."""

    expected: tuple[Violation, ...]
    rules: tuple[str, ...]
    tolerance: int = 1
    """Lines that a report may be off by."""
    min_accuracy: float = 0.7


class Equals(_Spec, frozen=True, kw_only=True):
    """The answer is this text, white space around it aside."""

    text: str


class HasText(_Spec, frozen=True, kw_only=True):
    """The text occurs; letters count as they are written unless ``any_case``."""

    text: str
    any_case: bool = False


class HasMatch(_Spec, frozen=True, kw_only=True):
    """The regular expression is found somewhere in the answer."""

    pattern: str


class ValidJson(_Spec, frozen=True, kw_only=True):
    """The answer is one JSON value and nothing else."""


class Latency(_Spec, frozen=True, kw_only=True):
    """The whole answer took at most so many milliseconds."""

    max_ms: float


class Not(_Spec, frozen=True, kw_only=True):
    """The check inside fails."""

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
"""Checks that a leniently cleaned answer may pass where the answer as it came does not."""


def kind_of(spec: CheckSpec) -> str:
    """The ``kind`` that the check has in a suite file, an inverted one with ``not_`` before it."""
    if isinstance(spec, Not):
        return f"not_{kind_of(spec.check)}"
    return _snake(type(spec).__name__)


def kinds() -> tuple[str, ...]:
    """Every kind there is."""
    return tuple(_snake(member.__name__) for member in get_args(CheckSpec))
