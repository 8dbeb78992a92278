"""The result of a fix as a card for an issue or a forum: Markdown, or a picture (SVG).

It does not identify the owner: host and user names, addresses and home folders are masked as in a
recording.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from tui import __version__
from tui.bench.model.comparison import Row
from tui.core.board.reading import Snapshot
from tui.core.text import format as fmt
from tui.core.text.sanitize import clean_line
from tui.fixes.change import Change
from tui.fixes.trial import Trial
from tui.recording.scrub import Scrubber

WIDTH, ROW, MARGIN = 720, 22, 20
BAR_WIDTH = 330
NAME_CELLS = 110
MAX_CHARS = 88
_NOT_XML = re.compile("[^\t\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1b232b}.s{fill:#5a6875}.h{font-size:16px;"
    "font-weight:600}.r{font-size:15px;font-weight:600;fill:#14798a}.b{fill:#fff}"
    ".o{fill:#aeb9c4}.n{fill:#14798a}.e{stroke:#d5dce3;fill:none}"
    "@media(prefers-color-scheme:dark){text{fill:#d5dce4}.s{fill:#9fb0bf}.r{fill:#56c8d8}"
    ".b{fill:#0e1318}.o{fill:#4a5763}.n{fill:#56c8d8}.e{stroke:#26303a}}"
)


@dataclass(frozen=True, slots=True)
class Card:
    """Content of a card. All texts are sanitised and masked.

    ``facts`` are (name, value), ``clocks`` (name, before, after). ``row`` is the comparison.
    """

    title: str
    result: str
    facts: tuple[tuple[str, str], ...]
    changed: tuple[str, ...]
    clocks: tuple[tuple[str, str, str], ...]
    row: Row | None
    is_simulated: bool


def card_of(
    change: Change, trial: Trial, model: str, server: str, scrubber: Scrubber | None = None
) -> Card:
    """The card of a measured fix. ``scrubber`` masks texts; None: one for this machine and user."""
    scrub = (scrubber or Scrubber.of_this_machine()).text

    def text(value: str | None) -> str:
        return scrub(clean_line(value or "", MAX_CHARS)) or "unknown"

    snapshot = trial.after or trial.before
    known = _board_facts(snapshot, text)
    return Card(
        title=text(change.title),
        result=trial.sentence(),
        facts=(*known, ("model", text(model)), ("server", text(server))),
        changed=tuple(
            text(f"{file.path}: {file.before} -> {file.after}")
            for file in change.files
            if file.kind == "kernel"
        ),
        clocks=_clocks(trial.before, trial.after),
        row=trial.row,
        is_simulated=snapshot is not None and snapshot.text("board.simulated") is not None,
    )


def _board_facts(
    snapshot: Snapshot | None, text: Callable[[str | None], str]
) -> tuple[tuple[str, str], ...]:
    if snapshot is None:
        return (("board", "unknown"),)
    total = snapshot.number("ram.total")
    board = " ".join(filter(None, (snapshot.text("board.model"), snapshot.text("board.soc"))))
    return (
        ("board", text(f"{board}, {fmt.size(total)}" if total else board)),
        ("kernel", text(snapshot.text("board.kernel"))),
        ("NPU driver", text(snapshot.text("npu.driver"))),
        ("runtime", text(_runtime(snapshot.text("npu.runtime")))),
    )


def _runtime(version: str | None) -> str | None:
    return None if version is None else f"librkllmrt {version}"


def _clocks(before: Snapshot | None, after: Snapshot | None) -> tuple[tuple[str, str, str], ...]:
    if before is None or after is None:
        return ()
    rows = [
        (
            name,
            fmt.megahertz(before.number(f"{key}.freq")),
            fmt.megahertz(after.number(f"{key}.freq")),
        )
        for name, key in (("memory", "ddr"), ("NPU", "npu"))
    ]
    clusters = zip(before.numbers("cpu.freq"), after.numbers("cpu.freq"), strict=False)
    rows += [
        (f"CPU cluster {number}", fmt.megahertz(old), fmt.megahertz(new))
        for number, (old, new) in enumerate(clusters)
    ]
    return tuple(rows)


def markdown(card: Card) -> str:
    """The card as a section of Markdown."""
    lines = [f"### {_md(card.title)}: {_md(card.result)}", ""]
    if card.is_simulated:
        lines += ["**Simulated board: these are no measurements.**", ""]
    lines += ["| | |", "|---|---|"]
    lines += [f"| {name} | {_md(value)} |" for name, value in card.facts]
    lines += [f"| changed | `{change.replace('`', '')}` |" for change in card.changed]
    if card.row is not None:
        row = card.row
        lines += [
            "",
            "| | before | after | change | 95 % interval | answers |",
            "|---|---|---|---|---|---|",
            f"| {_metric(row)} | {_rate(row.a, row)} | {_rate(row.b, row)} | {_share(row)} "
            f"| {_interval(row)} | {row.n_a} + {row.n_b}, in turns |",
        ]
    lines += [f"| {name} clock | {old} | {new} | | | |" for name, old, new in card.clocks]
    lines += ["", f"Measured by npulse {__version__}: `npulse doctor --fix`"]
    return "\n".join(lines) + "\n"


def svg(card: Card) -> str:
    """The card as an SVG without scripts and external files."""
    parts: list[str] = []
    y = MARGIN + 16

    def line(text: str, style: str = "", x: int = MARGIN) -> None:
        parts.append(f'<text class="{style}" x="{x}" y="{y}">{_xml(text)}</text>')

    line(card.title, "h")
    y += ROW + 6
    line(card.result, "r")
    if card.is_simulated:
        y += ROW
        line("simulated board: these are no measurements", "s")
    y += 14
    row = card.row
    if row is not None and row.a is not None and row.b is not None:
        most = max(row.a, row.b) or 1.0
        for name, value, style in (("before", row.a, "o"), ("after", row.b, "n")):
            y += ROW
            line(name, "s")
            width = max(1, round(BAR_WIDTH * value / most))
            parts.append(
                f'<rect class="{style}" x="{MARGIN + NAME_CELLS}" y="{y - 13}" width="{width}" '
                f'height="16" rx="3"/>'
            )
            line(f"{_rate(value, row)} tok/s", "", MARGIN + NAME_CELLS + width + 8)
        y += 10
    for name, said in _svg_rows(card):
        y += ROW
        line(name, "s")
        line(said, "", MARGIN + NAME_CELLS)
    y += ROW + 8
    line(f"measured by npulse {__version__}: npulse doctor --fix", "s")
    height = y + MARGIN
    title = _xml(f"{card.title}: {card.result}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}"><title>{title}</title><style>{_STYLE}</style>'
        f'<rect class="b" width="{WIDTH}" height="{height}"/>'
        f'<rect class="e" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>'
        f"{''.join(parts)}</svg>\n"
    )


def _svg_rows(card: Card) -> Sequence[tuple[str, str]]:
    rows = list(card.facts)
    rows += [("changed", change) for change in card.changed]
    if card.row is not None:
        rows.append(("answers", f"{card.row.n_a} before and {card.row.n_b} after, in turns"))
    rows += [(f"{name} clock", f"{old} to {new}") for name, old, new in card.clocks if old != new]
    return rows


def _metric(row: Row) -> str:
    return "decode, tok/s" if row.metric == "decode_tps" else "prefill, tok/s"


def _rate(value: float | None, row: Row) -> str:
    return f"{'~' if any(row.is_estimated) else ''}{fmt.rate(value)}"


def _share(row: Row) -> str:
    return fmt.UNKNOWN if row.delta_pct is None else f"{row.delta_pct:+.1f} %"


def _interval(row: Row) -> str:
    if row.ci95_pct is None:
        return fmt.UNKNOWN
    return f"{row.ci95_pct[0]:+.1f} to {row.ci95_pct[1]:+.1f} %"


def _md(text: str) -> str:
    """Text escaped for a Markdown table, without mentions (``@``) and references (``#``)."""
    return re.sub(r"([\\`*_\[\]<>|@#])", r"\\\1", text)


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("", text))
