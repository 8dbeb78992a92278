"""Keys of the timeline of an answer."""

from __future__ import annotations

from tui.core.screen.keys.action import KeyAction

_BY_TOKEN, _BY_WORD = "a token back, forward", "a word back, forward"
_BY_TENTH, _ENDS = "a tenth of the view back, forward", "to the start, to the end"
_TROUBLE, _ZOOM = "next, previous problem", "zoom in, zoom out"

TIMELINE_KEYS: tuple[KeyAction, ...] = (
    KeyAction("timeline.left", "left,h", "step(-1)", "a token back", _BY_TOKEN),
    KeyAction("timeline.right", "right,l", "step(1)", "a token forward", _BY_TOKEN),
    KeyAction("timeline.prev_word", "shift+left,ctrl+left", "word(-1)", "a word back", _BY_WORD),
    KeyAction(
        "timeline.next_word", "shift+right,ctrl+right", "word(1)", "a word forward", _BY_WORD
    ),
    KeyAction("timeline.page_left", "pageup", "page(-1)", "a tenth of the view back", _BY_TENTH),
    KeyAction(
        "timeline.page_right", "pagedown", "page(1)", "a tenth of the view forward", _BY_TENTH
    ),
    KeyAction("timeline.home", "home", "ends(-1)", "to the start", _ENDS),
    KeyAction("timeline.end", "end", "ends(1)", "to the end; follow a running answer", _ENDS),
    KeyAction("timeline.trouble", "t,n", "trouble(1)", "to the next problem", _TROUBLE),
    KeyAction("timeline.prev_trouble", "T,N", "trouble(-1)", "to the previous problem", _TROUBLE),
    KeyAction("timeline.zoom_in", "plus,equals_sign", "zoom(1)", "zoom in", _ZOOM),
    KeyAction("timeline.zoom_out", "minus", "zoom(-1)", "zoom out", _ZOOM),
    KeyAction("timeline.whole", "0", "whole", "the whole answer"),
    KeyAction("timeline.up", "up,k", "charts(-1)", "the curves above", "other curves"),
    KeyAction("timeline.down", "down,j", "charts(1)", "the curves below", "other curves"),
    KeyAction("timeline.replay", "space,r", "replay", "replay this answer at its own speed"),
    KeyAction("timeline.select", "v", "select", "select words from here; again: none"),
    KeyAction("timeline.compare", "c", "compare", "compare with another answer; again: the next"),
    KeyAction("timeline.unit", "a", "unit", "axis of time or of tokens"),
    KeyAction("timeline.copy", "y", "copy", "copy the selected words, or the answer"),
    KeyAction("timeline.back", "escape", "back", "one step back"),
)
"""Keys of the timeline of an answer (Alt+T)."""
