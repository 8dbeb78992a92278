"""Renders a report as Markdown, HTML, JSON or CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tui.bench.model import records
from tui.bench.model.comparison import Comparison
from tui.bench.report import board_report, boards, details, html, markdown, rows, run_sections
from tui.bench.report.blocks import Block, Bullets, Heading, Paragraph
from tui.bench.report.comparison import body as comparison_blocks
from tui.bench.report.observations import observations
from tui.bench.report.rows import published_rows
from tui.bench.report.text import line
from tui.bench.store.run_files import Loaded


def content(loaded: Loaded, comparison: Comparison | None = None) -> Iterator[Block]:
    """All blocks of the report, in their order."""
    yield from run_sections.head(loaded)
    yield from run_sections.executive(loaded)
    yield from boards.blocks(loaded.document)
    yield from run_sections.configuration(loaded)
    yield from run_sections.performance(loaded)
    yield from run_sections.tokens(loaded)
    yield from run_sections.suite_part(loaded)
    yield from details.groups(loaded)
    yield from published_rows(loaded)
    yield from details.requests(loaded)
    yield Heading(2, "Observations")
    said = observations(loaded)
    yield Bullets(said) if said else Paragraph("No observations.")
    yield from details.decay(loaded)
    yield from details.hardware(loaded)
    if comparison is not None:
        yield Heading(2, "Comparison")
        yield from comparison_blocks(comparison)
    yield from run_sections.reference_part(loaded)
    yield from run_sections.method(loaded)


def as_markdown(
    loaded: Loaded, *, compat: str | None = None, comparison: Comparison | None = None
) -> str:
    """The report as Markdown. ``compat`` ``seed004``: with the definitions of the earlier
    report."""
    is_old = compat == "seed004"
    return markdown.rendered(
        board_report.content(loaded) if is_old else content(loaded, comparison)
    )


def as_html(
    loaded: Loaded, *, compat: str | None = None, comparison: Comparison | None = None
) -> str:
    """The report as one HTML file; ``compat`` as in :func:`as_markdown`."""
    blocks = board_report.content(loaded) if compat == "seed004" else content(loaded, comparison)
    word = "SIMULATED " if loaded.document.run.simulated else ""
    return html.rendered(blocks, f"{word}{line(loaded.document.model.name)} benchmark")


def makers(
    compat: str | None = None, comparison: Comparison | None = None
) -> dict[str, Callable[[Loaded], bytes]]:
    """Format (json, md, html, csv) -> function that renders it as bytes."""

    def as_markdown_bytes(loaded: Loaded) -> bytes:
        text = as_markdown(loaded, compat=compat, comparison=comparison)
        return text.encode("utf-8", "replace")

    def as_html_bytes(loaded: Loaded) -> bytes:
        text = as_html(loaded, compat=compat, comparison=comparison)
        return text.encode("utf-8", "replace")

    return {
        "json": lambda loaded: records.encode(loaded.document),
        "md": as_markdown_bytes,
        "html": as_html_bytes,
        "csv": lambda loaded: rows.as_csv(loaded).encode("utf-8", "replace"),
    }
