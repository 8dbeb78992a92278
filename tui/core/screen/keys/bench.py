"""Keys of the benchmark screens."""

from __future__ import annotations

from tui.core.screen.keys.action import PAGES, KeyAction, picked

_VERTICAL = "choose a suite, an earlier run or a request; scroll"
_SIDEWAYS = "from option to option, page to page, request to request"
_PARTS = "between suites and earlier runs; from page to page"

BENCH_KEYS: tuple[KeyAction, ...] = (
    KeyAction("bench.up", "up,k", "move(-1)", "choose upwards, or scroll up", _VERTICAL),
    KeyAction("bench.down", "down,j", "move(1)", "choose downwards, or scroll down", _VERTICAL),
    KeyAction("bench.left", "left,h", "turn(-1)", "previous option, page or request", _SIDEWAYS),
    KeyAction("bench.right", "right,l", "turn(1)", "next option, page or request", _SIDEWAYS),
    KeyAction(
        "bench.more", "plus,equals_sign,space", "change(1)", "raise the option", "change the option"
    ),
    KeyAction("bench.less", "minus", "change(-1)", "lower the option", "change the option"),
    KeyAction("bench.next_part", "tab", "part(1)", "the next list or page", _PARTS),
    KeyAction("bench.prev_part", "shift+tab", "part(-1)", "the previous list or page", _PARTS),
    KeyAction(
        "bench.open", "enter", "open", "run the suite; open a run, its requests, their timelines"
    ),
    KeyAction("bench.timeline", "alt+t", "timeline", "the timeline of a request"),
    KeyAction("bench.page_up", "pageup", "move(-10)", "a page up", PAGES),
    KeyAction("bench.page_down", "pagedown,space", "move(10)", "a page down", PAGES),
    KeyAction(
        "bench.home", "home", "scroll_home", "to the start of a request", "start, end of a request"
    ),
    KeyAction(
        "bench.end", "end", "scroll_end", "to the end of a request", "start, end of a request"
    ),
    KeyAction("bench.pause", "p", "pause", "pause and resume the run"),
    KeyAction("bench.skip", "s", "skip", "skip this prompt"),
    KeyAction("bench.stop", "x", "abort", "stop the run; press it twice (results kept, resumable)"),
    KeyAction("bench.retry", "r", "retry", "retry what failed or is missing"),
    KeyAction("bench.export", "e", "export", "export the report"),
    KeyAction("bench.compare", "c", "compare", "compare with another run"),
    KeyAction("bench.swap", "w", "swap", "swap the sides of a comparison"),
    KeyAction("bench.force", "f", "force", "compare runs that are not comparable"),
    KeyAction("bench.back", "escape", "back", "one step back; a run continues"),
)
"""Keys of the benchmark screens (F3); each has some of them."""

BENCH_CHOOSER_KEYS = picked(
    BENCH_KEYS,
    "up down left right more less next_part prev_part open compare retry export back",
)
BENCH_LIVE_KEYS = picked(BENCH_KEYS, "pause skip stop retry export compare open back")
BENCH_RESULT_KEYS = picked(
    BENCH_KEYS,
    "left right next_part prev_part up down page_up page_down open timeline "
    "retry export compare back",
)
BENCH_REQUEST_KEYS = picked(
    BENCH_KEYS, "left right open timeline up down page_up page_down home end back"
)
BENCH_COMPARE_KEYS = picked(BENCH_KEYS, "swap force up down page_up page_down back")
