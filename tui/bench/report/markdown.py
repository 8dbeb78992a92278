"""Renders report blocks as Markdown; all texts are escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tui.bench.report.blocks import (
    Block,
    Bullets,
    Chart,
    Code,
    Facts,
    Folded,
    Heading,
    Paragraph,
    Rule,
    Table,
)

_SPECIAL = re.compile(r"([\\`*|]|\](?=[(\[:])|~~|^#|(?<![^\W_])_|_(?![^\W_]))")
_LINK = re.compile(r"(?<=\w):(?=//|\w+@)|(?<=www)\.|(?<=\S)@(?=\S)", re.IGNORECASE)
_ENTITY = re.compile(r"&(?=#?\w+;)")
_TICKS = re.compile(r"`+")
_LEADING = re.compile(r"^(\s*)([-+]|\d+[.)])(?=\s|$)")


def escaped(text: str) -> str:
    """One line of text, escaped so that it has no markup in Markdown or HTML."""
    flat = " ".join(text.split("\n"))
    flat = _SPECIAL.sub(r"\\\1", flat)
    flat = _ENTITY.sub("&amp;", flat).replace("<", "&lt;").replace(">", "&gt;")
    flat = _LINK.sub(lambda match: f"&#{ord(match[0])};", flat)
    return _LEADING.sub(r"\1\\\2", flat)


def cell(text: str) -> str:
    """Escaped text for a table cell; never empty."""
    return escaped(text).replace("\t", " ") or " "


def fence(text: str) -> str:
    """A code fence longer than any run of backticks in the text."""
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    return "`" * max(3, longest + 1)


def rendered(blocks: Iterable[Block]) -> str:
    """The Markdown of all blocks."""
    parts = (_block(block) for block in blocks)
    return "\n\n".join(part for part in parts if part) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {escaped(block.text)}"
    if isinstance(block, Paragraph):
        text = escaped(block.text)
        return f"> **{text}**" if block.is_warning else text
    if isinstance(block, Facts):
        return "\n".join(f"- **{escaped(name)}:** {escaped(value)}" for name, value in block.rows)
    if isinstance(block, Bullets):
        return "\n".join(f"- {escaped(item)}" for item in block.items)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Code):
        mark = fence(block.text)
        return f"{mark}{block.language}\n{block.text}\n{mark}"
    if isinstance(block, Folded):
        mark = fence(block.text)
        summary = escaped(block.title)
        return (
            f"<details><summary>{summary}</summary>\n\n{mark}\n{block.text}\n{mark}\n\n</details>"
        )
    if isinstance(block, Chart):
        return ""
    assert isinstance(block, Rule)
    return "---"


def _table(table: Table) -> str:
    head = "| " + " | ".join(cell(name) for name in table.columns) + " |"
    marks = ("---:" if at in table.numbers else "---" for at in range(len(table.columns)))
    rows = ("| " + " | ".join(cell(value) for value in row) + " |" for row in table.rows)
    return "\n".join((head, "| " + " | ".join(marks) + " |", *rows))
