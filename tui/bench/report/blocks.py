"""Building blocks of a report: headings, tables, facts, charts. Renderers escape all strings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and values, one pair per line."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Bullets:
    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with cells as text; ``numbers`` are the indices of right-aligned columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Code:
    """Preformatted text."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Folded:
    """Text that the reader can unfold."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: SVG made by npulse, inserted without escaping, and its title, also for formats
    without pictures. ``is_folded``: the reader can unfold it."""

    svg: str
    title: str
    is_folded: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal line."""


Block: TypeAlias = Heading | Paragraph | Facts | Bullets | Table | Code | Folded | Chart | Rule
