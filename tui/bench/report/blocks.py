"""Building blocks of a report: headings, tables, facts, charts. Renderers escape every string."""

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
    """Label and value, one per line."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Bullets:
    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text; ``numbers`` are the columns that are set right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Code:
    """Text shown exactly as it is."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Folded:
    """Text that opens on demand."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Our own SVG (already valid markup) and a sentence for where there are no pictures.
    ``is_folded``: opens on demand."""

    svg: str
    title: str
    is_folded: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A line between parts."""


Block: TypeAlias = Heading | Paragraph | Facts | Bullets | Table | Code | Folded | Chart | Rule
