"""What a key does: one record of the table of keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PAGES = "scroll by a page"
"""The line of the help that the keys for a page up and a page down share."""


@dataclass(frozen=True, slots=True)
class KeyAction:
    """One thing that a key does.

    ``action_id`` is the name under ``[keys]`` in config.toml, ``keys`` the default keys separated
    by commas, ``text`` its line in the command palette and in the help. Neighbours with the same
    ``line`` share one line of the help.
    """

    action_id: str
    keys: str
    action: str
    text: str
    line: str = ""

    @property
    def help_line(self) -> str:
        return self.line or self.text


def picked(keys: Iterable[KeyAction], names: str) -> tuple[KeyAction, ...]:
    """Those of ``keys`` with these names: their ids without the section before the point."""
    by_name = {key.action_id.partition(".")[2]: key for key in keys}
    return tuple(by_name[name] for name in names.split())
