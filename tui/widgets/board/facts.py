"""Text of the board screen: findings, decode against its bound, RAM forecast, absent readings."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, chop_cells

from tui.core.board.board_facts import DecodeBound
from tui.core.board.finding import Finding
from tui.core.board.headroom import HeadroomTrend
from tui.core.board.history import BoardHistory
from tui.core.board.load_facts import LoadFacts
from tui.core.board.reading import Reading, Snapshot
from tui.core.board.reading_text import value_text
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.text.sanitize import clean_line
from tui.widgets.board.why import BELIEVED_SHARE
from tui.widgets.kit.rows import Row, fit, pad, row_width, spread

INDENT = 2
MAX_CHARS = 600
STEADY_BYTES_PER_S = 1 << 18
MAX_NAME_CHARS = 24
LEAST_SOURCE_CELLS = 12


def wrapped(text: str, width: int) -> list[str]:
    """External text in lines of at most ``width`` cells, cut between words where there are any."""
    width = max(width, 4)
    lines: list[str] = []
    line = ""
    for word in clean_line(text, MAX_CHARS).split(" "):
        if line and cell_len(line) + 1 + cell_len(word) <= width:
            line = f"{line} {word}"
            continue
        if line:
            lines.append(line)
        *whole, line = _pieces(word, width)
        lines += whole
    return [*lines, line] if line or not lines else lines


def _pieces(word: str, width: int) -> list[str]:
    """A word that is too long in pieces: a path is cut in front of a name where it can be."""
    pieces: list[str] = []
    while cell_len(word) > width:
        piece = chop_cells(word, width)[0]
        at = piece.rfind("/")
        if at > len(piece) // 2:
            piece = piece[:at]
        pieces.append(piece)
        word = word[len(piece) :]
    return [*pieces, word]


def _paragraph(name: str, text: str, width: int, role: str = "text") -> list[Row]:
    """A word in the margin and the text beside it."""
    cells = 10
    lines = wrapped(text, width - cells - INDENT)
    rows: list[Row] = []
    for number, line in enumerate(lines):
        head = name if number == 0 else ""
        rows.append(((" " * INDENT, "dim"), (f"{head:<{cells}}", "dim"), (line, role)))
    return rows


def finding_rows(
    findings: Sequence[Finding],
    chosen: int,
    opened: frozenset[str],
    width: int,
    glyphs: Glyphs,
    past: frozenset[str] = frozenset(),
) -> tuple[list[Row], list[int]]:
    """Title and findings, and for each row which finding it belongs to (-1: none).

    An open finding shows what was seen, what it costs, and the command. ``past``: the rules of
    those that were seen when a model last computed.
    """
    when = "  when a model last computed" if past >= {f.rule for f in findings} != set() else ""
    rows: list[Row] = [(("why slow", "strong"), (when, "dim"))]
    owner = [-1]
    if not findings:
        return [*rows, (("nothing found that slows a model down", "dim"),)], [-1, -1]
    for number, finding in enumerate(findings):
        is_open = finding.rule in opened
        is_act = finding.weight == "act"
        mark = glyphs.opened if is_open else glyphs.closed
        head: Row = (
            (f"{mark} ", "live" if number == chosen else "dim"),
            ("! " if is_act else "i ", "warn" if is_act else "dim"),
        )
        title = wrapped(finding.title, width - 4)
        role = "strong" if number == chosen else "text"
        part: list[Row] = [(*head, (title[0], role))]
        part += [(("    ", "dim"), (line, role)) for line in title[1:]]
        if is_open:
            is_past = finding.rule in past
            part += _paragraph("was seen" if is_past else "seen", finding.evidence, width)
            part += _paragraph("effect", finding.effect, width, "soft")
            if finding.advice:
                part += _paragraph("fix", finding.advice, width)
            if finding.command:
                part += _command(finding.command, width)
        rows += part
        owner += [number] * len(part)
    return rows, owner


def _command(command: str, width: int) -> list[Row]:
    """A command over the full width, so that it is cut as seldom as possible."""
    lines = wrapped(command, width - INDENT - 2)
    return [
        (("  $ " if number == 0 else "    ", "dim"), (line, "live"))
        for number, line in enumerate(lines)
    ]


def decode_rows(bound: DecodeBound, width: int, glyphs: Glyphs) -> list[Row]:
    """The measured rate, its share of the bound with all that was assumed, and published rows."""
    title: Row = (("decode", "strong"),)
    rate = f"{'~' if bound.is_rate_estimated else ''}{fmt.rate(bound.rate_tps)} tok/s"
    rows = [spread(title, ((rate if bound.rate_tps else "", "text"),), width)]
    line = bound.roofline
    if line is None:
        rows += [((text, "dim"),) for text in wrapped(bound.reason or "not known", width)]
    else:
        mark = "~" if bound.is_rate_estimated or bound.is_size_guessed else ""
        rows.append(
            (
                (f"{mark}{fmt.percent(100 * line.share)}", "text"),
                (f" of the {fmt.rate(line.ceiling_tps)} tok/s that DDR allows", "dim"),
            )
        )
        guess = "; the weights' size is guessed from the name" if bound.is_size_guessed else ""
        rows += [
            (("  ", "dim"), (text, "dim"))
            for text in wrapped(f"assuming {line.assumption}{guess}", width - 2)
        ]
        if line.share > BELIEVED_SHARE:
            doubt = "faster than the memory allows: the assumed model size or DDR clock is wrong"
            rows += [((text, "warn"),) for text in wrapped(doubt, width)]
    label = ""
    for neighbour in bound.neighbours:
        if neighbour.label != label:
            label = neighbour.label
            rows += [((text, "dim"),) for text in wrapped(f"{label}:", width)]
        right: Row = ((f"{fmt.rate(neighbour.row.rate_tps)} tok/s", "soft"),)
        rows.append(spread((("  ", "dim"), (neighbour.row.model, "soft")), right, width))
    return [fit(row, width) for row in rows]


def headroom_rows(
    trend: HeadroomTrend, snapshot: Snapshot | None, width: int, glyphs: Glyphs
) -> list[Row]:
    """Free RAM, its rate of change, and the forecast."""
    free = None if snapshot is None else snapshot.number("ram.available")
    right: Row = ((f"{fmt.size(free)} free", "text"),)
    rows = [spread((("RAM forecast", "strong"),), right, width)]
    if free is None:
        reason = "not read yet" if snapshot is None else snapshot.get("ram.available").reason
        return [*rows, ((f"{fmt.UNKNOWN}  {clean_line(reason or 'unknown', 60)}", "dim"),)]
    slope = trend.slope_bytes_per_s
    warning = trend.warning()
    if warning is not None:
        return rows + [
            ((("! " if not n else "  ") + text, "bad"),)
            for n, text in enumerate(wrapped(warning, width - 2))
        ]
    if slope is None:
        text = "watching how it changes"
    elif abs(slope) <= STEADY_BYTES_PER_S:
        text = "steady: it does not shrink"
    elif slope > 0:
        text = f"grows by {_per_minute(slope)}"
    else:
        left = trend.exhaustion_s
        ends = "" if left is None else f"; at this rate used up in about {_about(left)}"
        text = f"shrinks by {_per_minute(-slope)}{ends}"
    return rows + [((line, "dim"),) for line in wrapped(text, width)]


def _about(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def _per_minute(bytes_per_s: float) -> str:
    return f"{bytes_per_s * 60 / 2**20:.0f} MiB a minute"


def load_rows(load: LoadFacts | None, width: int) -> list[Row]:
    """What the runtime logged when it loaded the model; no row where that is not known."""
    if load is None or not load.is_known:
        return []
    rows: list[Row] = [(("loaded with", "strong"),)]
    rows += [spread(((f"  {name}", "dim"),), ((said, "soft"),), width) for name, said in load.named]
    rows += [((line, "dim"),) for line in wrapped(f"from {load.source}", width)]
    return [fit(row, width) for row in rows]


def missing_rows(
    snapshot: Snapshot | None, ways: Sequence[str], width: int, glyphs: Glyphs
) -> list[Row]:
    """Absent readings by reason, with fixes; no row where there are none."""
    if snapshot is None:
        return []
    absent: dict[str, list[str]] = {}
    for name in KEY_READINGS:
        reading = snapshot.get(name)
        if reading.value is None:
            absent.setdefault(clean_line(reading.reason or "unknown", 60), []).append(name)
    if not absent and not ways:
        return []
    rows: list[Row] = [(("not read", "strong"),)]
    for reason, names in absent.items():
        text = f"{reason}: {', '.join(KEY_READINGS[name] for name in names)}"
        rows += [
            ((f"{glyphs.unknown if not n else ' '} ", "dim"), (line, "dim"))
            for n, line in enumerate(wrapped(text, width - 2))
        ]
    for way in ways:
        rows += [
            ((f"{glyphs.closed if not n else ' '} ", "warn"), (line, "text"))
            for n, line in enumerate(wrapped(way, width - 2))
        ]
    return rows


KEY_READINGS = {
    "npu.load": "NPU load",
    "npu.freq": "NPU clock",
    "npu.temp": "NPU heat",
    "ddr.freq": "DDR clock",
    "ddr.load": "DDR load",
    "cpu.freq": "CPU clocks",
    "soc.temp": "SoC heat",
    "throttle": "throttling",
    "ram.available": "free RAM",
    "ram.model": "the model's RAM",
    "server.pid": "server process",
}
"""Readings that decide how fast a model runs, with their labels."""


def reading_rows(history: BoardHistory, width: int, glyphs: Glyphs) -> list[Row]:
    """Every reading: name, value, and where it comes from or why it is absent."""
    snapshot = history.latest
    if snapshot is None:
        return [(("reading the board ...", "dim"),)]
    names = [clean_line(name, MAX_NAME_CHARS) for name in snapshot.readings]
    name_cells = max([cell_len(name) for name in names] + [8]) + 2
    value_cells = max(18, min(34, (width - name_cells) // 2))
    rows: list[Row] = []
    group = ""
    for name, (reading_id, reading) in zip(names, snapshot.readings.items(), strict=True):
        head, _, _ = reading_id.partition(".")
        if rows and head != group:
            rows.append(())
        group = head
        value = _value(reading, width - name_cells, glyphs)
        left = pad((*pad(((name, "dim"),), name_cells), *value), name_cells + value_cells)
        room = width - row_width(left) - 2
        rows.append(fit((*left, ("  ", "dim"), *_source(reading, room, glyphs)), width))
    return rows


def _value(reading: Reading, width: int, glyphs: Glyphs) -> Row:
    if reading.value is None:
        reason = clean_line(reading.reason or "unknown", max(width - 2, 8))
        return ((f"{glyphs.unknown} {reason}", "soft"),)
    return ((clean_line(value_text(reading), max(width, 8)), "text"),)


def _source(reading: Reading, width: int, glyphs: Glyphs) -> Row:
    """Flags, then as much of the source as there is room for: of a path, the end tells most."""
    flags = [clean_line(flag, 30) for flag in reading.flags if flag != "estimated"]
    notes: Row = ((f"{', '.join(flags)}  ", "warn"),) if flags else ()
    room = width - row_width(notes)
    source = clean_line(reading.source, MAX_CHARS)
    if room < LEAST_SOURCE_CELLS or not source:
        return notes
    if cell_len(source) > room:
        cells = room - cell_len(glyphs.ellipsis)
        while cell_len(source) > cells:
            source = source[1:]
        source = glyphs.ellipsis + source
    return (*notes, (source, "dim"))
