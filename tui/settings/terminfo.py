"""Reads the number of colours from terminfo."""

from __future__ import annotations

RGB_COLOURS = 1 << 24


def terminfo_colours(term: str) -> int | None:
    """The number of colours of a TERM; ``1 << 24`` where it has ``RGB`` or ``Tc`` (terminfo(5),
    user_caps(5)). None where it is not known here."""
    try:
        import curses

        curses.setupterm(term, 1)
        if curses.tigetflag("Tc") > 0 or curses.tigetflag("RGB") > 0:
            return RGB_COLOURS
        return max(0, curses.tigetnum("colors"))
    except Exception:  # noqa: BLE001
        # Built without curses, no database, or an entry that is broken: curses.error has no base.
        return None
