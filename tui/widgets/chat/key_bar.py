"""The bottom line: which keys work here. A click on one does what the key does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textual import events
from textual.binding import ActiveBinding
from textual.message import Message
from textual.screen import Screen

from tui.core.screen.key_names import key_cap
from tui.core.text.glyphs import Glyphs
from tui.widgets.kit.rows import Row, Rows, row_width

SHORT_CAPS = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓", "PageDown": "PgDn"}


@dataclass(frozen=True)
class KeyHint:
    """One key as it is shown: its cap, what it does, and the action that a click runs. ``is_dim``
    where that is not possible now; the screen says why."""

    cap: str
    label: str
    action: str
    is_dim: bool = False


class HintOf:
    """A hint before its keys are looked up: its word, and the ids of the bindings it stands for.

    ``is_short`` writes their caps without a space between, arrows as signs.
    """

    __slots__ = ("action_ids", "is_short", "label")

    def __init__(self, label: str, *action_ids: str, is_short: bool = False) -> None:
        self.label = label
        self.action_ids = action_ids
        self.is_short = is_short


def key_hints(
    screen: Screen[Any], hints: Sequence[HintOf], *, is_typing: bool = False
) -> list[KeyHint]:
    """The hints with the keys that work on the screen now; a click does the first one.

    What has no key is left out; ``is_typing``: so is a character, which goes into the field.
    """
    bound: dict[str, ActiveBinding] = {}
    for active in screen.active_bindings.values():
        is_text = is_typing and len(key_cap(active.binding.key)) == 1
        if active.binding.id is not None and not is_text:
            bound.setdefault(active.binding.id, active)
    shown: list[KeyHint] = []
    for hint in hints:
        found = [bound[action_id] for action_id in hint.action_ids if action_id in bound]
        if found:
            caps = [key_cap(active.binding.key) for active in found]
            if hint.is_short:
                caps = [SHORT_CAPS.get(cap, cap) for cap in caps]
            cap = ("" if hint.is_short else " ").join(caps)
            shown.append(KeyHint(cap, hint.label, _action_from(screen, found[0])))
    return shown


def key_caps(screen: Screen[Any], *action_ids: str) -> str:
    """The keys of these actions as a sentence names them: ``n, N``."""
    hints = key_hints(screen, [HintOf("", action_id) for action_id in action_ids])
    return ", ".join(hint.cap for hint in hints)


def _action_from(screen: Screen[Any], active: ActiveBinding) -> str:
    """The action of a binding as the screen runs it: that of a widget is the focused one's."""
    action = active.binding.action
    is_widgets = active.node is screen.focused and active.node is not None
    return f"focused.{action}" if is_widgets and "." not in action.partition("(")[0] else action


class KeyBar(Rows):
    """One row of key hints; hints that do not fit are left out whole, from the right."""

    @dataclass
    class Chosen(Message):
        """The user clicked a hint."""

        action: str

    DEFAULT_CSS = """
    KeyBar { height: 1; background: $raised; }
    """

    GAP = "   "

    def __init__(self, hints: Sequence[KeyHint], glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(glyphs, id=id)
        self._hints = tuple(hints)

    def set_hints(self, hints: Sequence[KeyHint]) -> None:
        """Show these hints instead."""
        self._hints = tuple(hints)
        self.refresh_rows()

    def build(self, width: int) -> Sequence[Row]:
        row: Row = ((" ", "text"),)
        for hint in self._hints:
            cap_role, role = ("track", "track") if hint.is_dim else ("key", "dim")
            spans: Row = ((hint.cap, cap_role), (f" {hint.label}", role))
            if row_width(row) + row_width(spans) > width:
                break
            row = (*row, *spans, (self.GAP, "text"))
        return [row]

    def on_click(self, event: events.Click) -> None:
        x = 1
        for hint in self._hints:
            cells = row_width(((hint.cap, "key"), (f" {hint.label}", "dim")))
            if x <= event.x < x + cells:
                self.post_message(self.Chosen(hint.action))
                return
            x += cells + len(self.GAP)
