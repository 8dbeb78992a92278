"""The prompt: several lines, sent with Enter, with the earlier prompts on Up and Down."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from tui.core.screen.keys.chat import PROMPT_KEYS
from tui.core.text.sanitize import clean
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.fields import TextField, bound_to

FOLD_CHARS = 2000
"""A pasted text longer than this is shown as a mark."""

CHANGES = ("delete", "cursor", "cut", "undo", "redo", "select", "paste")
"""Beginnings of actions of a text area that change its text, or where the next text goes."""


MAX_PROMPTS = 500
"""Earlier prompts that are kept for Up and Down."""


class PromptHistory:
    """Earlier prompts and the draft that Up and Down walk away from."""

    def __init__(self) -> None:
        self._prompts: list[str] = []
        self._at: int | None = None
        self._draft = ""

    def add(self, prompt: str) -> None:
        """Remember a prompt that was sent; the same one twice in a row counts once."""
        self._at = None
        if prompt and (not self._prompts or self._prompts[-1] != prompt):
            self._prompts.append(prompt)
            del self._prompts[:-MAX_PROMPTS]

    def add_older(self, prompts: Sequence[str]) -> None:
        """Remember prompts that were sent before all others, oldest first."""
        room = max(0, MAX_PROMPTS - len(self._prompts))
        older = list(prompts)[-room:] if room else []
        self._prompts[:0] = older
        if self._at is not None:
            self._at += len(older)

    def older(self, current: str) -> str | None:
        """The prompt before the one shown; None where there is none."""
        if self._at is None:
            if not self._prompts:
                return None
            self._draft, self._at = current, len(self._prompts)
        if self._at == 0:
            return None
        self._at -= 1
        return self._prompts[self._at]

    def newer(self) -> str | None:
        """The prompt after the one shown, at last the draft; None while the draft is shown."""
        if self._at is None:
            return None
        self._at += 1
        if self._at >= len(self._prompts):
            self._at = None
            return self._draft
        return self._prompts[self._at]


class Pasted:
    """Long pasted texts, each shown in the prompt as a short mark and put back when it is sent.

    A text area wraps and measures a long line again with every key; a mark keeps typing light
    however much was pasted. A mark that the user edits is plain text.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def fold(self, text: str) -> str:
        """The mark that stands for a long text; a short text as it is."""
        if len(text) <= FOLD_CHARS:
            return text
        for mark, known in self._texts.items():
            if known == text:
                return mark
        lines = text.count("\n") + 1
        what = f"{lines} lines" if lines > 1 else f"{len(text)} characters"
        mark = f"[pasted {what} #{len(self._texts) + 1}]"
        self._texts[mark] = text
        return mark

    def unfold(self, text: str) -> str:
        """The text with every mark replaced by what it stands for."""
        if not self._texts:
            return text
        pattern = "|".join(re.escape(mark) for mark in self._texts)
        return re.sub(pattern, lambda match: self._texts[match[0]], text)


@dataclass(slots=True)
class GivenBack:
    """A prompt that was put back into the field at ``t_s`` (clock of key events, s).

    ``typed_from`` is where the text begins that was typed after it; None while there is none.
    """

    t_s: float
    typed_from: tuple[int, int] | None = None


class Prompt(TextField):
    """A text area that sends with Enter.

    It grows with its text up to a third of the screen. Its cursor does not blink: a blinking cursor
    is half of the bytes that an idle program sends over SSH.
    """

    @dataclass
    class Submitted(Message):
        """The user sent this text, which is not blank."""

        text: str

    class EmptySubmitted(Message):
        """Enter without a text: it may mean a prompt that waits."""

    @dataclass
    class ScrollRequested(Message):
        """The user asked to move the transcript: ``page_up``, ``page_down``, ``end``, ``home``."""

        where: str

    DEFAULT_CSS = """
    Prompt {
        height: auto; min-height: 1; max-height: 12; padding: 0; border: none;
        background: $background; color: $foreground;
        scrollbar-size-vertical: 1;
        &:focus { border: none; }
        & .text-area--cursor-line { background: $background; }
        & .text-area--placeholder { color: $dim; }
        & .text-area--cursor { color: $background; background: $soft; text-style: none; }
        &:ansi .text-area--cursor {
            color: $foreground; background: $background; text-style: reverse;
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(PROMPT_KEYS, has_priority=False)

    def __init__(self, *, placeholder: str, id: str | None = None) -> None:
        super().__init__(
            id=id,
            compact=True,
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
            placeholder=placeholder,
        )
        self.cursor_blink = False
        self.match_cursor_bracket = False
        self.earlier = PromptHistory()
        self._pasted = Pasted()
        self._sent: tuple[str, str] = ("", "")
        """The last prompt as it was sent and as it had been written."""
        self._given_back: GivenBack | None = None

    def action_scroll_transcript(self, where: str) -> None:
        self.post_message(self.ScrollRequested(where))

    def restore(self, text: str) -> None:
        """Put a prompt back that was not answered, unless the user has begun another one.

        What is typed next begins a new line: it may have been meant for an empty prompt.
        """
        if not self.text.strip():
            self._replace_all(self._written(text))
            self._given_back = GivenBack(monotonic())

    def write_anew(self, text: str) -> bool:
        """Put an earlier prompt here to be changed; False where the user has begun another one."""
        if self.text.strip():
            return False
        self._replace_all(self._written(text))
        return True

    def action_submit(self) -> None:
        """Send what is written, if it is more than white space.

        The prompt is empty from here on: the keys that follow belong to the next one.
        """
        written = self.text.strip()
        if written:
            self._sent = (self._pasted.unfold(written), written)
            self._replace_all("")
            self.post_message(self.Submitted(self._sent[0]))
        else:
            self.post_message(self.EmptySubmitted())

    @property
    def whole_text(self) -> str:
        """What is written, with every pasted text in its place."""
        return self._pasted.unfold(self.text)

    def remember_older(self, prompts: Sequence[str]) -> None:
        """Prompts of earlier runs, oldest first, for Up."""
        self.earlier.add_older([self._pasted.fold(clean(prompt)) for prompt in prompts])

    def take_draft(self, draft: str) -> bool:
        """Put the draft of an earlier run here; where something was written meanwhile it is the
        first text on Up instead, and False is returned."""
        text = self._pasted.fold(clean(draft))
        if self.text or self._sent[0]:
            self.earlier.add(text)
            return False
        self._replace_all(text)
        return True

    def accepted(self, text: str) -> None:
        """The prompt was taken: remember it."""
        self.earlier.add(self._written(text))

    def refused(self, text: str) -> None:
        """The prompt was not taken: put it back, before what was written since."""
        since = self.text
        self._replace_all("")
        self.restore(text)
        if since:
            self._part_from_given_back()
            self._insert(since)

    def take_text(self, text: str) -> None:
        """Write a text that was typed or pasted elsewhere, and go on here."""
        self.focus()
        self._part_from_given_back()
        self._insert(self._pasted.fold(clean(text)))

    def _written(self, text: str) -> str:
        """How a prompt that was sent stood in the field."""
        sent, written = self._sent
        return written if text == sent else self._pasted.fold(text)

    def _replace_all(self, text: str) -> None:
        self._given_back = None
        self.load_text(text)
        self.move_cursor(self.document.end)

    def _part_from_given_back(self) -> None:
        """Before a text: begin a new line, where it would be glued to a prompt given back."""
        given = self._given_back
        if given is not None and given.typed_from is None:
            self.move_cursor(self.document.end)
            self._insert("\n")
            given.typed_from = self.cursor_location

    def _is_blind(self, event: events.Key) -> bool:
        """Whether a key was pressed before the prompt came back, and must not send or change it."""
        given = self._given_back
        if given is None:
            return False
        if event.time > given.t_s:
            self._given_back = None
            return False
        actions = [binding.action for binding in bound_to(self, event.key)]
        if "submit" in actions:
            return True
        is_at_edge = given.typed_from is None or self.cursor_location <= given.typed_from
        return is_at_edge and any(action.startswith(CHANGES) for action in actions)

    def _insert(self, text: str) -> None:
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)

    async def _on_mouse_down(self, event: events.MouseDown) -> None:
        self._given_back = None  # where the cursor stands now was chosen

    async def _on_key(self, event: events.Key) -> None:
        if event.is_printable:
            self._part_from_given_back()
        elif self._is_blind(event):
            event.stop()
            event.prevent_default()
        elif event.key == "end" and self.cursor_location == self.document.end:
            event.stop()
            event.prevent_default()
            self.post_message(self.ScrollRequested("end"))

    def action_new_line(self) -> None:
        self._insert("\n")
        if self._given_back is not None:
            self._given_back.typed_from = self.cursor_location

    def action_cursor_up(self, select: bool = False) -> None:
        if not select and self.cursor_at_first_line:
            older = self.earlier.older(self.text)
            if older is not None:
                self._replace_all(older)
            return
        super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if not select and self.cursor_at_last_line:
            newer = self.earlier.newer()
            if newer is not None:
                self._replace_all(newer)
            return
        super().action_cursor_down(select)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.take_text(event.text)
