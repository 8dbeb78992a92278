"""Renders report blocks as one HTML file without scripts or external files; texts are escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

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
from tui.timeline.svg import STYLE as TIMELINE_STYLE

_STYLE = """
:root { color-scheme: light dark; --ink: #1b232b; --soft: #5a6875; --rule: #d5dce3; --bg: #fff;
  --raised: #f3f6f9; --live: #14798a; --warn: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #d5dce4; --soft: #9fb0bf; --rule: #26303a;
  --bg: #0e1318; --raised: #141b22; --live: #56c8d8; --warn: #e0af5a; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--bg);
  max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { border-bottom: 1px solid var(--rule); margin-top: 2.2rem; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .25rem .7rem; border-bottom: 1px solid var(--rule); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 600; }
pre { background: var(--raised); padding: .8rem; overflow-x: auto; white-space: pre-wrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { color: var(--soft); } dd { margin: 0; }
.warn { color: var(--warn); border-left: .3rem solid var(--warn); padding-left: .8rem; }
figure { margin: 1rem 0; } figcaption { color: var(--soft); }
svg { max-width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; }
svg .axis { stroke: var(--rule); } svg .line { stroke: var(--live); fill: none; }
svg .bar, svg .dot { fill: var(--live); } svg .second { stroke: var(--warn); fill: none; }
"""


def rendered(blocks: Iterable[Block], title: str) -> str:
    """The complete HTML page."""
    body = "\n".join(_block(block) for block in blocks)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        f"<title>{escape(title)}</title><style>{_STYLE}{TIMELINE_STYLE}</style></head><body>\n{body}\n"
        "</body></html>\n"
    )


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
    if isinstance(block, Paragraph):
        mark = ' class="warn"' if block.is_warning else ""
        return f"<p{mark}>{_isolated(block.text)}</p>"
    if isinstance(block, Facts):
        rows = (f"<dt>{escape(k)}</dt><dd>{_isolated(v)}</dd>" for k, v in block.rows)
        return f"<dl>{''.join(rows)}</dl>"
    if isinstance(block, Bullets):
        return f"<ul>{''.join(f'<li>{_isolated(item)}</li>' for item in block.items)}</ul>"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Code):
        return f'<pre dir="auto">{escape(block.text)}</pre>'
    if isinstance(block, Folded):
        return (
            f"<details><summary>{escape(block.title)}</summary>"
            f'<pre dir="auto">{escape(block.text)}</pre></details>'
        )
    if isinstance(block, Chart) and block.is_folded:
        title = escape(block.title)
        return f"<details><summary>{title}</summary><figure>{block.svg}</figure></details>"
    if isinstance(block, Chart):
        return f"<figure>{block.svg}<figcaption>{escape(block.title)}</figcaption></figure>"
    assert isinstance(block, Rule)
    return "<hr>"


def _isolated(text: str) -> str:
    """Escaped text in ``<bdi>``, so that its direction does not affect the text beside it."""
    return f"<bdi>{escape(text)}</bdi>"


def _table(table: Table) -> str:
    def row(cells: Iterable[str], tag: str) -> str:
        made = (
            f"<{tag}{' class=n' if at in table.numbers else ''}>{_isolated(text)}</{tag}>"
            for at, text in enumerate(cells)
        )
        return f"<tr>{''.join(made)}</tr>"

    head = row(table.columns, "th")
    body = "".join(row(cells, "td") for cells in table.rows)
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"
