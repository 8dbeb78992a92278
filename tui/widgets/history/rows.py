"""Rows of the history: a conversation or a hit of the search in one line each."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tui.core.screen.footer import STATUS_WORDS
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.history.records import ConversationRow, SearchHit
from tui.widgets.kit.grounds import on_ground
from tui.widgets.kit.rows import Row, cut, fit, pad, row_width, spread

Entry = ConversationRow | SearchHit
WIDE = 100
MODEL_CELLS = 18
SHORT_TIME_CELLS = 11


def conversation_of(entry: Entry) -> int:
    """The conversation that an entry of the list belongs to."""
    return entry.id if isinstance(entry, ConversationRow) else entry.conversation


def shown_time(ms: int, *, has_year: bool) -> str:
    """``2026-11-27 04:49`` in local time; without a year ``11-27 04:49``, and the date alone where
    the year is another one. A time that no calendar has is unknown."""
    try:
        moment = time.localtime(ms / 1000)
        if not has_year and moment.tm_year != time.localtime().tm_year:
            return f"{time.strftime('%Y-%m-%d', moment):<{SHORT_TIME_CELLS}}"
        return time.strftime("%Y-%m-%d %H:%M" if has_year else "%m-%d %H:%M", moment)
    except (OverflowError, ValueError, OSError):
        return fmt.UNKNOWN


def head_row(width: int) -> Row:
    """The heads of the columns."""
    is_wide = width >= WIDE
    date = f"{'date':<16}" if is_wide else f"{'date':<{SHORT_TIME_CELLS}}"
    model = f"  {'model':<{MODEL_CELLS}}" if is_wide else ""
    left: Row = ((f"     {date}{model}{'tokens':>8}{'tok/s':>8}  conversation", "dim"),)
    return fit(left, width)


def entry_row(entry: Entry, width: int, glyphs: Glyphs, *, is_chosen: bool, is_marked: bool) -> Row:
    """One line of the list."""
    sign = glyphs.closed if is_chosen else " "
    lead: Row = ((f" {sign}", "live"), ("+" if is_marked else " ", "warn"))
    if isinstance(entry, SearchHit):
        hit = _hit(entry, is_chosen=is_chosen, is_wide=width >= WIDE)
        row = cut((*lead, *hit), width - 1, glyphs)
    else:
        row = _conversation(entry, lead, width - 1, glyphs, is_chosen=is_chosen)
    return on_ground(row, "selected", width) if is_chosen else row


def _conversation(
    row: ConversationRow, lead: Row, width: int, glyphs: Glyphs, *, is_chosen: bool
) -> Row:
    is_wide = width + 1 >= WIDE
    left: Row = (
        *lead,
        ("* " if row.is_pinned else "  ", "live"),
        (shown_time(row.updated_ms, has_year=is_wide), "soft"),
    )
    if is_wide:
        name = fit(((f"  {row.model or fmt.UNKNOWN}", "soft"),), MODEL_CELLS + 2)
        left += pad(name, MODEL_CELLS + 2)
    rate = fmt.UNKNOWN if row.decode_tps is None else fmt.rate(row.decode_tps)
    rate = f"~{rate}" if row.is_decode_estimated else rate
    tokens = f"~{row.tokens}" if row.is_tokens_estimated else str(row.tokens)
    left += (
        (f"{tokens if row.tokens else fmt.UNKNOWN:>8}", "text"),
        (f"{rate:>8}", "text"),
        ("  ", "text"),
        (row.title or row.first_line, "strong" if is_chosen else "text"),
    )
    right: Row = ()
    if row.is_running:
        right += ((" running", "live"),)
    elif row.status in STATUS_WORDS:
        right += ((f" {STATUS_WORDS[row.status]}", "warn"),)
    if row.is_simulated and is_wide:
        right += ((" SIMULATED", "warn"),)
    if row.tags:
        right += ((f" {' '.join('#' + tag for tag in row.tags)}", "dim"),)
    if not right:
        return cut(left, width, glyphs)
    right = fit(right, width // 3)
    return spread(cut(left, width - row_width(right) - 1, glyphs), right, width)


def _hit(hit: SearchHit, *, is_chosen: bool, is_wide: bool) -> Row:
    when = shown_time(hit.created_ms, has_year=is_wide)
    who = "you" if hit.role == "user" else "answer"
    spans: list[tuple[str, str]] = [("  ", "text"), (f"{when}  ", "soft"), (f"{who:<7} ", "dim")]
    text, at = hit.snippet.text, 0
    for start, end in hit.snippet.marks:
        spans += [(text[at:start], "strong" if is_chosen else "text"), (text[start:end], "live")]
        at = end
    spans.append((text[at:], "strong" if is_chosen else "text"))
    return tuple(span for span in spans if span[0])


def detail_rows(entry: Entry | None, width: int) -> list[Row]:
    """Details of the chosen entry, in two rows."""
    if entry is None:
        return [(), ()]
    if isinstance(entry, SearchHit):
        return [fit(((f" in: {entry.title}", "soft"),), width), ()]
    about = [
        f"{entry.turns} turn{'' if entry.turns == 1 else 's'}",
        f"begun {shown_time(entry.created_ms, has_year=True)}",
    ]
    about += [entry.model] if entry.model else []
    first = f" {entry.first_line}" if entry.first_line != entry.title else ""
    return [
        fit(((f" {', '.join(about)}", "soft"),), width),
        fit(((first, "dim"),), width),
    ]


def title_row(left: str, right: str, width: int) -> Row:
    """The name of the page, and what is beside it."""
    return spread(((f" {left}", "strong"),), ((f"{right} ", "dim"),), width)


def window(chosen: int, top: int, height: int, count: int) -> int:
    """The first entry in view, so that the chosen one is in view; ``top`` was the first one."""
    if chosen < top:
        top = chosen
    elif chosen >= top + height:
        top = chosen - height + 1
    return max(0, min(top, count - height))


def entry_rows(
    entries: Sequence[Entry],
    chosen: int,
    marked: frozenset[int],
    top: int,
    size: tuple[int, int],
    glyphs: Glyphs,
) -> list[Row]:
    """The lines in view. ``size``: cells and lines."""
    width, height = size
    return [
        entry_row(
            entry,
            width,
            glyphs,
            is_chosen=number == chosen,
            is_marked=conversation_of(entry) in marked,
        )
        for number, entry in enumerate(entries[top : top + height], top)
    ]
