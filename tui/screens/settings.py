"""F6: how the next answers are generated, checked against what the connected server accepts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input, Static

from tui.core.screen.keymap import Place
from tui.core.screen.keys.forms import SETTINGS_BACK, SETTINGS_SAVE, TOGGLE_KEYS
from tui.core.screen.keys.table import closing
from tui.core.screen.setting_note import SettingNote
from tui.core.screen.setting_words import MEANINGS
from tui.core.text.glyphs import Glyphs
from tui.core.types import GenerationSettings
from tui.screens.dialog import Dialog
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.fields import LineField, TextField, outlined
from tui.widgets.kit.rows import Rows

Problem = tuple[str, str]
"""A field of :class:`GenerationSettings` and one sentence about its value."""

LOOPS_NOTE = "ends an answer that repeats itself"
LINE_NOTE = "for a slow connection: every 5 s, 300 B/s"
NO_EFFECT = "no effect here"
"""Beside a setting that the server passes over."""

FIELDS: tuple[tuple[str, str, type], ...] = (
    ("temperature", "temperature", float),
    ("top_p", "top_p", float),
    ("top_k", "top_k", int),
    ("repeat_penalty", "repeat penalty", float),
    ("max_tokens", "max tokens", int),
)

SECTIONS = (
    ("sampling", ("temperature", "top_p", "top_k", "repeat_penalty")),
    ("answer", ("max_tokens", "is_thinking", "stops_loops", "system_prompt")),
    ("npulse", ("is_low_bandwidth",)),
)
LABELS = {name: label for name, label, _ in FIELDS} | {
    "is_thinking": "thinking",
    "stops_loops": "stop loops",
    "system_prompt": "system prompt",
    "is_low_bandwidth": "low bandwidth",
}
OWN_NOTES = {"stops_loops": LOOPS_NOTE, "is_low_bandwidth": LINE_NOTE}
"""Beside what is npulse's own, in which no server has a word."""
CHANGED = "•"
"""In front of what is not as npulse comes."""

WIDE_COLUMNS = 76
"""Below, labels and fields make room for what is allowed."""


def parse_field(name: str, label: str, kind: type, text: str) -> float | int | Problem:
    """The number in ``text``, or the problem with it."""
    try:
        value: float | int = kind(text.strip())
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        return name, f"{label} takes {wanted}, not {text.strip()[:20]!r}"
    return value


def remarks(notes: Mapping[str, SettingNote]) -> list[str]:
    """What the server makes of the fields, one line for each thing it makes of them."""
    by_remark: dict[str, list[str]] = {}
    for name, note in notes.items():
        if note.remark:
            by_remark.setdefault(note.remark, []).append(LABELS.get(name, name))
    return [f"{', '.join(names)}: {remark}" for remark, names in by_remark.items()]


class Toggle(Static, can_focus=True):
    """On or off; Space, Enter or a click changes it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(TOGGLE_KEYS, has_priority=False)

    class Flipped(Message):
        """It is the other way now."""

    def __init__(self, is_on: bool, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self.is_on = is_on

    def render(self) -> str:
        return "on" if self.is_on else "off"

    def render_line(self, y: int) -> Strip:
        return outlined(super().render_line(y), self)

    def action_flip(self) -> None:
        self.is_on = not self.is_on
        self.refresh()
        self.post_message(self.Flipped())

    def on_click(self) -> None:
        self.action_flip()


class SystemPromptField(TextField):
    """Its last row shows how far it goes where its ground does not."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        return outlined(strip, self) if y == self.size.height - 1 else strip


class SettingsScreen(Dialog[GenerationSettings | None]):
    """A form; gives the new settings, or None where nothing was changed."""

    DEFAULT_CSS = """
    SettingsScreen .line { height: 1; }
    SettingsScreen .section { text-style: bold; }
    SettingsScreen .mark { width: 2; color: $live; }
    SettingsScreen .name { width: 15; color: $soft; }
    SettingsScreen .-ignored .name { color: $dim; }
    SettingsScreen Input, SettingsScreen Toggle {
        width: 12; height: 1; border: none; background: $background; color: $foreground;
        padding: 0;
    }
    SettingsScreen Input:focus, SettingsScreen Toggle:focus { border: none; background: $track; }
    SettingsScreen .-ignored Input, SettingsScreen .-ignored Toggle { color: $dim; }
    SettingsScreen .note { width: 1fr; height: 1; color: $dim; padding: 0 0 0 2; }
    SettingsScreen .note.-problem { color: $bad; }
    SettingsScreen #system_prompt {
        height: 4; border: none; background: $background; padding: 0 1;
        &:focus { border: none; background: $track; }
    }
    SettingsScreen #settings-title { height: 1; background: $raised; }
    SettingsScreen #settings-meaning {
        color: $soft; background: $raised; height: auto; dock: bottom;
    }
    SettingsScreen #settings-meaning.-none { display: none; }
    SettingsScreen #settings-error {
        color: $bad; background: $raised; height: auto; dock: bottom;
    }
    SettingsScreen #settings-error.-none { display: none; }
    SettingsScreen #settings-notes { color: $dim; height: auto; margin-top: 1; }
    SettingsScreen.-narrow > #settings-box { padding: 1 0 1 1; }
    SettingsScreen.-narrow > #settings-box > * { margin-right: 0; }
    SettingsScreen.-narrow .name { width: 15; }
    SettingsScreen.-narrow .mark { width: 1; }
    SettingsScreen.-narrow Input, SettingsScreen.-narrow Toggle { width: 7; }
    SettingsScreen.-narrow .note { padding: 0 0 0 1; }
    SettingsScreen.-narrow #system_prompt { height: 3; }
    SettingsScreen .own-below { display: none; color: $dim; height: auto; }
    SettingsScreen.-narrow .own-below { display: block; }
    SettingsScreen.-narrow .own { display: none; }
    """

    AUTO_FOCUS = "#temperature"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_COLUMNS, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings([closing("settings"), SETTINGS_BACK]),
        # The key must not overtake what was typed before it.
        *bindings([SETTINGS_SAVE], has_priority=False),
    ]
    HELP_PLACE: ClassVar[Place] = "settings"
    HINTS = (HintOf("save", "settings.save"), HintOf("back", "settings.back"))

    def __init__(
        self,
        settings: GenerationSettings,
        check: Callable[[GenerationSettings], Sequence[Problem]],
        notes: Mapping[str, SettingNote],
        glyphs: Glyphs,
        *,
        stops_loops: bool = False,
        is_low_bandwidth: bool = False,
    ) -> None:
        super().__init__(glyphs)
        self.stops_loops = stops_loops
        """Whether npulse itself stops an answer that repeats itself; set when the form is saved."""
        self.is_low_bandwidth = is_low_bandwidth
        """Whether the line to the terminal is thin; set when the form is saved."""
        self._settings = settings
        self._check = check
        self._notes = notes

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="settings-box"):
            title = Rows(self._glyphs, id="settings-title")
            title.show([(("settings", "strong"), (" for the next answers", "dim"))])
            yield title
            for section, names in SECTIONS:
                yield Static(section, classes="section", markup=False)
                for name in names:
                    yield from self._lines(name)
            yield Static("\n".join(remarks(self._notes)), id="settings-notes", markup=False)
            yield Static("", id="settings-meaning", markup=False)
            yield Static("", id="settings-error", classes="-none", markup=False)
        yield from self.compose_keys()

    def _lines(self, name: str) -> ComposeResult:
        """The line of a setting: mark, name, field, and what the server takes."""
        with Horizontal(classes=self._line_classes(name)):
            yield Static("", id=f"mark-{name}", classes="mark", markup=False)
            yield Static(LABELS[name], classes="name", markup=False)
            if name in OWN_NOTES:
                yield Toggle(getattr(self, name), id=name)
                yield Static(OWN_NOTES[name], classes="note own", markup=False)
            elif name == "is_thinking":
                yield Toggle(self._settings.is_thinking, id=name)
                yield self._note(name)
            elif name != "system_prompt":
                entry = LineField(str(getattr(self._settings, name)), id=name, compact=True)
                entry.cursor_blink = False
                yield entry
                yield self._note(name)
        if name in OWN_NOTES:
            yield Static(OWN_NOTES[name], classes="own-below", markup=False)
        elif name == "system_prompt":
            area = SystemPromptField(self._settings.system_prompt, id=name, tab_behavior="focus")
            area.cursor_blink = False
            yield area

    def on_mount(self) -> None:
        self._show_marks()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """What the setting means that has the focus."""
        name = event.widget.id or ""
        if name in MEANINGS:
            self._meaning.update(self._meaning_of(name))

    @property
    def _meaning(self) -> Static:
        return self.query_one("#settings-meaning", Static)

    def _meaning_of(self, name: str) -> str:
        note = self._about(name)
        default = {True: "on", False: "off", "": "none"}.get(self._default(name))
        said = f"? {MEANINGS[name]}; default {default or self._default(name)}"
        return f"{said}; {NO_EFFECT}: {note.remark}" if note.is_ignored and note.remark else said

    def _default(self, name: str) -> Any:
        """As npulse comes: its own switches are off."""
        return getattr(GenerationSettings(), name, False)

    @on(Toggle.Flipped)
    @on(TextField.Changed)
    def _show_marks(self) -> None:
        """Mark what is not as npulse comes."""
        settings, _ = self.entered()
        for name in LABELS:
            if name in OWN_NOTES:
                value: object = self.query_one(f"#{name}", Toggle).is_on
            else:
                value = getattr(settings, name)
            mark = CHANGED if value != self._default(name) else ""
            _say(self.query_one(f"#mark-{name}", Static), self._glyphs.text(mark), is_line=True)

    def _note(self, name: str) -> Static:
        return Static(self._allowed(name), id=f"note-{name}", classes="note", markup=False)

    def _line_classes(self, name: str) -> str:
        return "line -ignored" if self._about(name).is_ignored else "line"

    def _about(self, name: str) -> SettingNote:
        return self._notes.get(name, SettingNote())

    def _allowed(self, name: str) -> str:
        note = self._about(name)
        return NO_EFFECT if note.is_ignored else note.allowed

    def entered(self) -> tuple[GenerationSettings, list[Problem]]:
        """What the form says, and what is wrong with it."""
        problems: list[Problem] = []
        values: dict[str, Any] = {}
        for name, label, kind in FIELDS:
            value = parse_field(name, label, kind, self.query_one(f"#{name}", Input).value)
            if isinstance(value, tuple):
                problems.append(value)
            else:
                values[name] = value
        settings = replace(
            self._settings,
            **values,
            is_thinking=self.query_one("#is_thinking", Toggle).is_on,
            system_prompt=self.query_one("#system_prompt", TextField).text,
        )
        return settings, problems or list(self._check(settings))

    @on(Input.Changed)
    def show_problems(self) -> list[Problem]:
        """Say beside each field what is wrong with it."""
        _, problems = self.entered()
        by_field = dict(problems)
        for name in (*(name for name, _, _ in FIELDS), "is_thinking"):
            note = self.query_one(f"#note-{name}", Static)
            note.set_class(name in by_field, "-problem")
            _say(note, "see below" if name in by_field else self._allowed(name), is_line=True)
        # It stands at the edge of the box: what scrolls could leave it out of sight.
        self._meaning.set_class(bool(problems), "-none")
        self._show_marks()
        error = self.query_one("#settings-error", Static)
        error.set_class(not problems, "-none")
        _say(error, "\n".join(text for _, text in problems))
        return problems

    @on(Input.Submitted)
    def action_save(self) -> None:
        if not self.show_problems():
            settings, _ = self.entered()
            self.stops_loops = self.query_one("#stops_loops", Toggle).is_on
            self.is_low_bandwidth = self.query_one("#is_low_bandwidth", Toggle).is_on
            self.dismiss(settings)


def _say(place: Static, text: str, *, is_line: bool = False) -> None:
    """Show a text; the dialog is laid out again only where it is another one than before, and never
    for a place that has one line whatever it says."""
    if str(place.content) != text:
        place.update(text, layout=not is_line)
