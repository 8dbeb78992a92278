"""Lines about answers that other npulse processes receive."""

from __future__ import annotations

from collections.abc import Mapping

from tui.core.screen.chat import FollowedTurn
from tui.core.screen.key_names import key_cap
from tui.core.text.glyphs import Glyphs
from tui.core.text.sanitize import clean_line

MAX_PROMPT_CHARS = 40


class ElsewhereWords:
    """Status lines below such an answer while it grows. ``keymap`` has the keys of each action."""

    def __init__(self, keymap: Mapping[str, str], glyphs: Glyphs) -> None:
        self._keymap = keymap
        self._separator = f" {glyphs.separator} "
        self._ellipsis = glyphs.ellipsis

    def followed(self, followed: FollowedTurn) -> str:
        """Below an answer that this dashboard is attached to."""
        return self._joined(
            f"running in another {followed.where}", self._hint("stop", "stops it there")
        )

    def ahead(self, ahead: FollowedTurn, prompt: str) -> str:
        """Below an answer that ``prompt`` waits for."""
        words = clean_line(prompt)
        if len(words) > MAX_PROMPT_CHARS:
            words = f"{words[:MAX_PROMPT_CHARS].rstrip()}{self._ellipsis}"
        return self._joined(
            f"running in another {ahead.where}",
            f'your prompt "{words}" is sent when it is over',
            self._hint("stop", "takes it back"),
        )

    def _hint(self, action_id: str, what: str) -> str:
        key = key_cap(self._keymap[action_id])
        return f"{key} {what}" if key else ""

    def _joined(self, *clauses: str) -> str:
        return self._separator.join(clause for clause in clauses if clause)
