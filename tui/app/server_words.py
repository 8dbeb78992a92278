"""Duration of a server's state as text, for the top line and the list of servers."""

from __future__ import annotations

import time

from tui.core.text.format import clock


def since_words(since_ns: int | None, now_ns: int) -> str:
    """``since 14:02 (3:12)``: wall time and what has passed; empty where that is not known."""
    if since_ns is None:
        return ""
    elapsed_s = max(0.0, (now_ns - since_ns) / 1e9)
    began = time.localtime(time.time() - elapsed_s)
    return f"since {time.strftime('%H:%M', began)} ({clock(elapsed_s)})"
