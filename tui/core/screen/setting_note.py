"""Note of the settings screen about one setting."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SettingNote:
    """``allowed`` are the values that the server takes, ``remark`` is what it makes of them; either
    may be empty. ``is_ignored`` where the setting has no effect with this server."""

    allowed: str = ""
    remark: str = ""
    is_ignored: bool = False
