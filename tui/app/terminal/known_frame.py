"""Cached first frame of the dashboard, drawn without the framework.

A frame is the rows of the screen, each a few runs of one style: ``[[["npulse", "1;38;5;80"]]]``
(text, parameters of SGR as in ECMA-48). A row without runs is not known and stays blank.

Two kinds of files hold them. The cache has whole frames of earlier starts, one for each size and
look. :data:`OUTLINES` comes with npulse and has the rows that every start has (header, rule,
prompt, keys), for the first start of all; they are fitted to the terminal's width.
"""

from __future__ import annotations

import json
import re
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

Run = tuple[str, str]
FrameRows = tuple[tuple[Run, ...], ...]
Size = tuple[int, int]
"""Columns and rows."""

OUTLINES = Path(__file__).with_name("outlines.json")
"""Theme -> depth of colour -> ``wide`` and ``narrow``: ``{"top": [row], "bottom": [rows]}``."""
PROMPT_ROW = -2
"""The row of the prompt in every frame."""
WIDE_COLUMNS = 100
MIN_SIZE: Size = (40, 10)
MAX_FRAMES = 12
MAX_BYTES = 400_000
_CODE = re.compile(r"[0-9;]*")
_TIME = re.compile(r"\d\d:\d\d(?::\d\d)?(?= *\Z)")
_BLANKS = re.compile(" {3,}")


def frame_file(folder: Path, size: Size, look: Sequence[object]) -> Path:
    """Where the frame of a terminal of this size is kept; ``look`` is all that changes it."""
    key = repr((size, *look)).encode()
    return folder / f"frame-{zlib.crc32(key):08x}{zlib.adler32(key):08x}.json"


def read_frame(path: Path, size: Size) -> FrameRows | None:
    """A frame of this size; None where there is none that can be drawn."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        rows = _checked(json.loads(path.read_bytes()), size[0])
    except (OSError, ValueError, TypeError):
        return None
    return rows if len(rows) == size[1] else None


def frame_text(rows: FrameRows) -> str:
    """The content of a frame's file; the time of day in it is always the same."""
    top = tuple((_TIME.sub(_midnight, text), code) for text, code in rows[0])
    return json.dumps([top, *rows[1:]], ensure_ascii=False, separators=(",", ":"))


def keep_frame(path: Path, text: str) -> None:
    """Write the file of a frame; older ones give way. Raises OSError."""
    from tui.files.private import write_whole

    write_whole(path, text.encode())
    frames = sorted(path.parent.glob("frame-*.json"), key=lambda one: one.stat().st_mtime)
    for old in frames[:-MAX_FRAMES]:
        old.unlink(missing_ok=True)


def outline(theme: str, depth: str, size: Size) -> FrameRows | None:
    """What every start shows in a theme of npulse: header, rule, prompt and keys."""
    columns, height = size
    if columns < MIN_SIZE[0] or height < MIN_SIZE[1]:
        return None
    try:
        found = json.loads(OUTLINES.read_bytes())[theme][depth]
    except (OSError, ValueError, KeyError):
        return None
    known = found["wide" if columns >= WIDE_COLUMNS else "narrow"]
    top = [fitted(row, columns) for row in known["top"]]
    bottom = [fitted(row, columns) for row in known["bottom"]]
    blank = ((" " * columns, known["blank"]),)
    middle = [blank] * (height - len(top) - len(bottom))
    return tuple([*top, *middle, *bottom])


def fitted(row: Sequence[Run], columns: int) -> tuple[Run, ...]:
    """A row of another width: its widest blank gives or takes cells; where there is not enough of
    it, what stands behind the last gap that fits is left out."""
    text = "".join(part for part, _ in row)
    missing = columns - len(text)
    gaps = [match.span() for match in _BLANKS.finditer(text)]
    if len(set(text.strip())) == 1 and len(text.strip()) > columns // 2:
        return ((text.strip()[0] * columns, row[0][1]),)
    gap = max(gaps, key=lambda one: one[1] - one[0], default=(len(text), len(text)))
    width = gap[1] - gap[0]
    if missing >= 0 or width + missing >= 3:
        keep = cut(row, 0, gap[0])
        ground = cut(row, gap[0], gap[0] + 1) or cut(row, len(text) - 1, len(text))
        return (*keep, (" " * (width + missing), ground[0][1]), *cut(row, gap[1], len(text)))
    end = max((start for start, _ in gaps if start <= columns), default=0)
    ground = cut(row, end, end + 1)
    return (*cut(row, 0, end), (" " * (columns - end), ground[0][1] if ground else ""))


def escapes(rows: FrameRows) -> str:
    """What draws a frame on a screen that is clear."""
    drawn = (f"\x1b[{y};1H{row_escapes(row)}" for y, row in enumerate(rows, 1) if row)
    return "".join(drawn) + "\x1b[0m"


def row_escapes(row: Sequence[Run]) -> str:
    """What draws a row from the cursor on."""
    out: list[str] = []
    last = None
    for text, code in row:
        if code != last and not (last and _is_seen_alike(text, last, code)):
            out.append(f"\x1b[0;{code}m" if code else "\x1b[0m")
            last = code
        out.append(text)
    return "".join(out)


def _is_seen_alike(text: str, last: str, code: str) -> bool:
    """Whether blanks need no change of style: only what stands before the ground differs."""
    attributes = last.partition("38;")[0].split(";")
    return text.isspace() and last.endswith(code) and not {"4", "7", "9"}.intersection(attributes)


def at_time(row: Sequence[Run]) -> tuple[Run, ...]:
    """The header with the time of day as it is now."""

    def shown(match: re.Match[str]) -> str:
        return time.strftime("%H:%M:%S")[: len(match[0])]

    return tuple((_TIME.sub(shown, text), code) for text, code in row)


def stamp_of(path: Path) -> tuple[int, int]:
    """Identity of a file's content (size, time); zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _midnight(match: re.Match[str]) -> str:
    return "00:00:00"[: len(match[0])]


def cut(row: Sequence[Run], start: int, stop: int) -> tuple[Run, ...]:
    """The cells of a row from ``start`` to ``stop``."""
    runs: list[Run] = []
    at = 0
    for text, code in row:
        part = text[max(0, start - at) : max(0, stop - at)]
        if part:
            runs.append((part, code))
        at += len(text)
    return tuple(runs)


def _checked(found: object, columns: int) -> FrameRows:
    """Rows in which nothing stands that a terminal would obey. Raises ValueError."""
    if not isinstance(found, list):
        raise ValueError("no list of rows")
    rows: list[tuple[Run, ...]] = []
    for row in found:
        runs = tuple((str(text), str(code)) for text, code in row)
        if not all(text.isprintable() and _CODE.fullmatch(code) for text, code in runs):
            raise ValueError("a text that is none")
        if runs and sum(len(text) for text, _ in runs) != columns:
            raise ValueError("another width")
        rows.append(runs)
    return tuple(rows)
