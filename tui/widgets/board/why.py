"""One-row summaries for the dashboard: the worst finding, and decode rate against its bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.text.sanitize import clean_line
from tui.widgets.kit.rows import Row, fit, row_width, spread

if TYPE_CHECKING:
    from tui.core.board.board_facts import DecodeBound
    from tui.core.board.finding import Finding

LOW_SHARE = 0.6
"""Below this share of the bound something slows the model down."""
BELIEVED_SHARE = 1.05
"""A larger share of the bound means a wrong assumption; see the board screen."""


def why_row(findings: Sequence[Finding], width: int, glyphs: Glyphs, key: str) -> Row:
    """The worst finding in one row, with the ``key`` that tells more; empty where nothing is wrong.

    Notes explain and ask for nothing: they wait on the board screen.
    """
    wrong = [finding for finding in findings if finding.weight == "act"]
    if not wrong or width < 8:
        return ()
    more = f"+{len(wrong) - 1} " if len(wrong) > 1 else ""
    right: Row = ((more, "dim"), (key, "key"))
    room = width - row_width(right) - 1
    title = clean_line(wrong[0].title)
    evidence = clean_line(wrong[0].evidence).partition(", ")[0]
    long = f"{title}: {evidence}"
    words = long if row_width(((f"! {long}", "warn"),)) <= room else title
    text: Row = (("! ", "warn"), (words, "warn"))
    if row_width(text) > room:
        text = (*fit(text, room - row_width(((glyphs.ellipsis, ""),))), (glyphs.ellipsis, "warn"))
    return spread(text, right, width)


def roofline_row(bound: DecodeBound, width: int, glyphs: Glyphs, key: str) -> Row:
    """``57 % of what DDR allows``; empty where there is no rate or no bound to compare it with.
    Where it is little, the ``key`` that tells why stands beside it."""
    if bound.roofline is None:
        return ()
    if bound.roofline.share > BELIEVED_SHARE:
        return (("above what DDR seems to allow", "dim"),)
    share = fmt.percent(100 * bound.roofline.share)
    mark = "~" if bound.is_rate_estimated or bound.is_size_guessed else ""
    left: Row = ((f"{mark}{share}", "text"), (" of what DDR allows", "dim"))
    why: Row = (("why slow: ", "live"), (key, "key"))
    if bound.roofline.share < LOW_SHARE and row_width(left) + row_width(why) < width:
        return spread(left, why, width)
    return fit(left, width)
