"""Rows of the boards of a run that many work on, or worked on, and of its notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tui.bench.model.boards import BoardState, Projection
from tui.bench.model.screen import BoardNow, RunView
from tui.core.text import format as fmt
from tui.widgets.bench.parts import folded
from tui.widgets.kit.bars import heat
from tui.widgets.kit.rows import Row, column, fit, pad, row_width, spread

WIDE = 98
NAME_CELLS, STATE_CELLS = 15, 11
STATE_ROLES: dict[BoardState, str] = {
    "working": "live",
    "done": "soft",
    "lost": "bad",
    "waiting": "warn",
    "refused": "warn",
}


def board_rows(
    every: Sequence[BoardNow], width: int, height: int, *, is_over: bool = False
) -> list[Row]:
    """Title, and one row for each board: what it is asked, and what its answers were like."""
    states = Counter(one.board.state for one in every)
    words = ", ".join(f"{count} {_state_of(state)}" for state, count in states.items())
    out = [spread(((" boards", "strong"),), ((f"{words} ", "dim"),), width)]
    if not every:
        out.append(((" none has joined yet", "dim"),))
        return out
    out.append(_head("" if is_over else "asked now", width))
    room = max(1, height - len(out))
    # Those that are not asked have nothing that changes.
    boards = sorted(every, key=lambda one: one.board.state == "refused")
    shown = boards if len(boards) <= room else boards[: max(1, room - 1)]
    blocks = [_block(one, width) for one in shown]
    # Where there is no room for all sentences, each board keeps its first row.
    has_room = sum(map(len, blocks)) <= room
    out += [row for block in blocks for row in (block if has_room else block[:1])]
    hidden = len(boards) - len(shown)
    if hidden:
        answered = sum(one.board.answered for one in boards[len(shown) :])
        out.append(fit(((f" {hidden} more boards, {answered} answered", "dim"),), width))
    return out


def _has_figures(one: BoardNow) -> bool:
    return bool(one.board.answered or one.board.failed)


def _block(one: BoardNow, width: int) -> list[Row]:
    """The row of a board, and what is worth knowing of it: beside its name where it has no
    figures, else below them."""
    board, role = one.board, STATE_ROLES[one.board.state]
    # Without the address that its row stands for.
    reason = board.sentence.removeprefix(f"{board.address} was not reached: ")
    is_beside = bool(reason) and one.asked is None and not _has_figures(one)
    indent = NAME_CELLS + (STATE_CELLS if is_beside else 0)
    lines = folded(reason, width - indent - 1) if reason else []
    block: list[Row] = [fit(((" " * indent + line, role),), width) for line in lines]
    if is_beside:
        return [fit((*_front(one), (lines[0], role)), width), *block[1:]]
    return [_row(one, width), *block]


def _front(one: BoardNow) -> Row:
    role = STATE_ROLES[one.board.state]
    name = column(one.board.name, NAME_CELLS - 1, "strong")
    return ((" ", "text"), *name, (f"{one.board.state_words:<{STATE_CELLS}}", role))


def _state_of(state: BoardState) -> str:
    return {"working": "work", "done": "worked", "waiting": "wait", "refused": "not asked"}.get(
        state, state
    )


def _figures(is_wide: bool, cells: Sequence[str], roles: Sequence[str]) -> Row:
    """answered, failed, asked again, tok/s, spread, TTFT, heat, answers an hour."""
    widths = (10, 8, 7, 8, 8, 9, 8, 9)
    kept = range(8) if is_wide else (0, 2, 3, 6)
    return tuple((f"{cells[at]:>{widths[at]}}", roles[at]) for at in kept)


def _head(asked: str, width: int) -> Row:
    names = ("answered", "failed", "again", "tok/s", "spread", "TTFT", "hottest", "an hour")
    right = _figures(width >= WIDE, names, ["dim"] * 8)
    names_left = f" {'board':<{NAME_CELLS - 1}}{'is':<{STATE_CELLS}}{asked:<12}"
    left: Row = ((names_left, "dim"),)
    return (*pad(fit(left, width - row_width(right) - 1), width - row_width(right) - 1), *right)


def _row(one: BoardNow, width: int) -> Row:
    board = one.board
    mark = "~" if board.source == "estimated" else ""

    def rate(value: float | None) -> str:
        return fmt.UNKNOWN if value is None else mark + fmt.rate(value)

    hot, _ = heat(board.t_max_c)
    cells = (
        str(board.answered),
        str(board.failed or ""),
        str(board.lost or ""),
        rate(board.decode_tps),
        rate(board.mad_tps),
        fmt.UNKNOWN if board.ttft_median_ms is None else fmt.milliseconds(board.ttft_median_ms),
        fmt.celsius(board.t_max_c),
        fmt.UNKNOWN if board.requests_per_h is None else f"{board.requests_per_h:.0f}",
    )
    roles = ("text", "bad", "warn", "text", "soft", "text", hot, "soft")
    right = _figures(width >= WIDE, cells, roles)
    room = width - row_width(right) - 1
    return (*pad(fit((*_front(one), (one.asked_words, "text")), room), room), *right)


def projection_rows(projections: Sequence[Projection], width: int) -> list[Row]:
    """Title, and how long some numbers of prompts would take so many boards like these."""
    if not projections:
        return []
    counts = sorted({one.boards for one in projections})
    hours = {(one.prompts, one.boards): one.hours for one in projections}
    names = "".join(f"{count} board{'s' * (count > 1)}".rjust(16) for count in counts)
    rows: list[Row] = [
        ((" expected for prompts like these", "strong"),),
        ((f" {'prompts':>8}{names}", "dim"),),
    ]
    for prompts in sorted({one.prompts for one in projections}):
        told = [f"~{fmt.long_seconds(3600 * hours[prompts, count])}" for count in counts]
        cells = "".join(cell.rjust(16) for cell in told)
        rows.append(((f" {prompts:>8,}", "text"), (cells, "soft")))
    return [fit(row, width) for row in rows]


def note_rows(run: RunView, width: int, height: int) -> list[Row]:
    """Title and the newest notes, the last one at the bottom."""
    out: list[Row] = [((" notes", "strong"),)]
    lines: list[Row] = []
    for note in reversed(run.notes):
        block = [fit(((f" {line}", "soft"),), width) for line in folded(note, width - 2)]
        if len(lines) + len(block) > max(1, height - 1):
            break
        lines = [*block, *lines]
    return [*out, *(lines or [((" none", "dim"),)])]
