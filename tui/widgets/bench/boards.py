"""Rows of the boards of a run in progress that many work on, and of its notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tui.bench.model.boards import BoardState
from tui.bench.model.screen import BoardNow, RunView
from tui.core.text import format as fmt
from tui.widgets.bench.parts import folded
from tui.widgets.kit.bars import heat
from tui.widgets.kit.rows import Row, column, fit, pad, row_width, spread

WIDE = 98
STATE_ROLES: dict[BoardState, str] = {
    "working": "live",
    "done": "soft",
    "lost": "bad",
    "waiting": "warn",
    "refused": "warn",
}


def board_rows(run: RunView, width: int, height: int) -> list[Row]:
    """Title, and one row for each board: what it is asked, and what its answers were like."""
    states = Counter(one.board.state for one in run.boards)
    words = ", ".join(f"{count} {_state_of(state)}" for state, count in states.items())
    out = [spread(((" boards", "strong"),), ((f"{words} ", "dim"),), width)]
    if not run.boards:
        out.append(((" none has joined yet", "dim"),))
        return out
    out.append(_head(width))
    room = max(1, height - len(out))
    # Those that are not asked have nothing that changes.
    boards = sorted(run.boards, key=lambda one: one.board.state == "refused")
    shown = boards if len(boards) <= room else boards[: max(1, room - 1)]
    rows = [(_row(one, width), _remark(one, width)) for one in shown]
    # Where there is no room for all remarks, there are none.
    has_remarks = sum(1 + bool(remark) for _, remark in rows) <= room
    for row, remark in rows:
        out += [row, remark] if remark and has_remarks else [row]
    hidden = len(boards) - len(shown)
    if hidden:
        answered = sum(one.board.answered for one in boards[len(shown) :])
        out.append(fit(((f" {hidden} more boards, {answered} answered", "dim"),), width))
    return out


def _has_figures(one: BoardNow) -> bool:
    return bool(one.board.answered or one.board.failed)


def _remark(one: BoardNow, width: int) -> Row:
    """What is worth knowing of a board, in a row of its own where its row has figures."""
    if not _has_figures(one) or not one.board.sentence:
        return ()
    words = (" " * 15 + _reason(one), STATE_ROLES[one.board.state])
    return fit((words,), width - 1)


def _reason(one: BoardNow) -> str:
    """Its sentence, without the address that its row stands for."""
    return one.board.sentence.removeprefix(f"{one.board.address} was not reached: ")


def _state_of(state: BoardState) -> str:
    return {"working": "work", "done": "worked", "waiting": "wait", "refused": "not asked"}.get(
        state, state
    )


def _figures(is_wide: bool, cells: Sequence[str], roles: Sequence[str]) -> Row:
    """answered, failed, asked again, tok/s, spread, TTFT, heat, answers an hour."""
    widths = (10, 8, 7, 8, 8, 9, 8, 9)
    kept = range(8) if is_wide else (0, 2, 3, 6)
    return tuple((f"{cells[at]:>{widths[at]}}", roles[at]) for at in kept)


def _head(width: int) -> Row:
    names = ("answered", "failed", "again", "tok/s", "spread", "TTFT", "hottest", "an hour")
    right = _figures(width >= WIDE, names, ["dim"] * 8)
    left: Row = ((f" {'board':<14}{'is':<11}{'asked now':<12}", "dim"),)
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
    left: Row = (
        (" ", "text"),
        *column(board.name, 14, "strong"),
        (f"{board.state_words:<11}", STATE_ROLES[board.state]),
    )
    role = STATE_ROLES[board.state]
    if board.sentence and one.asked is None and not _has_figures(one):
        # It has no figures: the sentence has the whole row.
        return fit((*left, (_reason(one), role)), width - 1)
    room = width - row_width(right) - 1
    return (*pad(fit((*left, (one.asked_words, "text")), room), room), *right)


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
