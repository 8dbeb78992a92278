"""Base of npulse's apps: terminal, themes, keys, help and quitting."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.actions import SkipAction
from textual.binding import ActiveBinding, BindingType
from textual.driver import Driver
from textual.events import Event, InputEvent, MouseMove, Paste, Resize
from textual.filter import Monochrome, NoColor
from textual.scrollbar import ScrollBar
from textual.theme import Theme

from tui import __version__
from tui.app.app_colours import AppColours
from tui.app.memory_saving import give_back_free_memory
from tui.app.terminal.driven_app import DrivenApp
from tui.app.terminal.input_order import InputOrder
from tui.app.terminal.painting import Painting
from tui.app.themes import LIBRARY_CSS
from tui.core.screen.colours import ColourChoice, ColourDepth, ColourSetting
from tui.core.screen.key_names import key_cap, shown_key
from tui.core.screen.keymap import Place, rebound
from tui.core.screen.keys.chat import GLOBAL_KEYS, INTERRUPT
from tui.core.screen.keys.table import ACTIONS
from tui.core.screen.terminal_signals import Signal
from tui.core.text.glyphs import Glyphs
from tui.screens.dashboard import Dashboard
from tui.widgets.chat.message_line import MessageBar
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import AsciiScrollBar

if TYPE_CHECKING:
    from tui.core.screen.commands import Command

PAUSED = "not drawn while the terminal is not in focus; npulse keeps running"

MAX_OSC52_BYTES = 74_000
"""Terminals drop longer texts: xterm's limit is 100,000 bytes in base64."""
LOADED_AFTER_S = 5.0
"""By then what runs from the start on has been loaded."""
START_AFTER_S = 0.1
"""Between the first paint and what comes next: the first keys come before its imports."""
ASK_AGAIN_S = 4.0
"""The same key within this time means yes."""
GARBAGE_THRESHOLDS = (700, 10, 10)
"""Python's own, which the start raises."""


@dataclass(frozen=True)
class Appearance:
    """How the app looks and listens, decided before it starts."""

    glyphs: Glyphs
    themes: Callable[[ColourDepth], Sequence[Theme]]
    """The themes where the terminal has so many colours."""
    theme: str
    colours: ColourChoice
    """What is known before the terminal has answered."""
    wanted_colours: ColourSetting
    keymap: Mapping[str, str]
    has_bell: bool
    """Ring the terminal's bell with every new alert."""
    copy_file: Path
    """Takes what is too long for the clipboard."""
    notify: frozenset[Signal]
    """How the terminal is told that an answer is over, while it does not have the focus."""
    frames_per_s: int
    sample_interval_s: float
    is_low_bandwidth: bool = False
    """Whether low bandwidth is on."""
    pauses_without_focus: bool = True
    """Nothing is drawn while the terminal reports that it does not have the focus."""
    messages: Sequence[str] = ()
    """Messages of the start: config warnings, broken themes."""


class TerminalApp(DrivenApp, inherit_bindings=False):
    """An app whose lowest screen is a dashboard; which one says :meth:`get_default_screen`."""

    TITLE = "npulse"
    CSS = LIBRARY_CSS
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(GLOBAL_KEYS),
        *bindings([INTERRUPT], has_priority=False),
    ]

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        # Textual's own of these know no other depth than that of its start.
        self._filters = [one for one in self._filters if not isinstance(one, (Monochrome, NoColor))]
        self.set_colour_depth(appearance.colours.depth)
        # Animations cost frames, and blend colours that a theme of sixteen does not have.
        self.animation_level = "none"
        self.set_class(appearance.glyphs.is_ascii, "-ascii")
        if appearance.glyphs.is_ascii:
            ScrollBar.renderer = AsciiScrollBar
        self._appearance = appearance
        self._asked, self._asked_s = "", 0.0
        self._opening = ExitStack()
        self._input_order = InputOrder(self, super().on_event)
        self._painting = Painting(self, self._rest, self._tell_pause)
        themes = appearance.themes(appearance.colours.depth)
        for theme in themes:
            self.register_theme(theme)
        self.theme = appearance.theme
        for name in set(self.available_themes) - {theme.name for theme in themes}:
            self.unregister_theme(name)
        self.colours = AppColours(
            self, appearance.themes, appearance.wanted_colours, appearance.colours
        )
        self.set_keymap(rebound(appearance.keymap))
        self.bound_keys = frozenset(",".join(appearance.keymap.values()).split(","))

    # Start and end --------------------------------------------------------------------------

    def get_driver_class(self) -> type[Driver]:
        """The terminal with our parser of input and our handlers of signals."""
        from tui.app.terminal.driver import TerminalDriver

        return TerminalDriver

    async def on_event(self, event: Event) -> None:
        is_seen = isinstance(event, (InputEvent, Paste, Resize))
        if self._is_open and is_seen and not isinstance(event, MouseMove):
            self._painting.has_input()
        await self._input_order.take(event)

    def get_default_screen(self) -> Dashboard:
        raise NotImplementedError

    def action_cycle_colours(self) -> None:
        """The next depth of colour, and after the last what the terminal is known to have."""
        self._say_here(self.colours.cycle())

    def _key(self, action_id: str) -> str:
        """The first key of an action, as short as it is shown."""
        return key_cap(self._appearance.keymap[action_id])

    def on_load(self) -> None:
        # Mounting draws the whole screen four times; over a slow connection only the last counts.
        self._opening.enter_context(self.batch_update())

    def on_mount(self) -> None:
        self.dashboard.call_after_refresh(self._opened)

    def _opened(self) -> None:
        """The first paint is done."""
        self._opening.close()
        self.set_timer(START_AFTER_S, self._start)
        self.opened()

    def _start(self) -> None:
        """Everything that the first paint does not need."""
        if not self.is_running:
            return  # It is being closed, and its screens are gone.
        # What is there by now stays to the end. Set aside, it neither makes a search for garbage
        # long, which would delay a token's stamp, nor lets garbage grow to a quarter of its size.
        gc.freeze()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        is_bare = self.screen is self.dashboard and not self.dashboard.place.draft
        if self.launch is not None and is_bare:
            # The next start can begin with this picture; nobody has changed it yet.
            self.launch.keep(self.cells.shown())
        self.save_bandwidth(self._appearance.is_low_bandwidth)
        if self._appearance.pauses_without_focus:
            self.watch(self, "app_focus", self._painting.focus)
        self.start_work()
        self.set_timer(LOADED_AFTER_S, give_back_free_memory)
        for message in self._appearance.messages:
            self.dashboard.say(message, "warn")

    def save_bandwidth(self, is_low: bool) -> None:
        """Switches low bandwidth on or off."""
        if is_low != self.is_low_bandwidth:
            self.dashboard.save_bandwidth(is_low)
            self._painting.save_bandwidth(is_low)

    @property
    def is_low_bandwidth(self) -> bool:
        """Whether low bandwidth is on."""
        return self._painting.is_low_bandwidth

    def _rest(self, is_resting: bool) -> None:
        """Painting was paused or resumed."""
        self.dashboard.rest(is_resting)

    @property
    def is_resting(self) -> bool:
        """Whether painting is paused, because the terminal is not in focus."""
        return self._painting.is_away

    def _tell_pause(self, is_paused: bool) -> None:
        for screen in (self.screen, self.dashboard):
            for bar in screen.query(MessageBar):
                bar.say(PAUSED) if is_paused else bar.withdraw(PAUSED)

    def start_work(self) -> None:
        """What begins once the first paint is there."""

    def call_later_from_thread(self, callback: Callable[[], None]) -> None:
        """Run a callback in the app's thread; dropped where the app is ending."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.call_later, callback)

    @property
    def dashboard(self) -> Dashboard:
        """The screen at the bottom of the stack."""
        screen = self.screen_stack[0]
        assert isinstance(screen, Dashboard)
        return screen

    def _copy(self, text: str, what: str) -> str:
        """To the terminal's clipboard; to a file where terminals would drop it."""
        if len(text.encode()) <= MAX_OSC52_BYTES:
            self.copy_to_clipboard(text)
            return f"copied {what}: {len(text)} characters"
        path = self._appearance.copy_file
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            return f"{what} is too long for the clipboard, and {path}: {error.strerror}"
        return f"{what} is too long for the clipboard; it is in {path}"

    # Ending ---------------------------------------------------------------------------------

    def action_interrupt(self) -> None:
        """Ctrl+C: copy what is selected, else stop the answer; once more: quit."""
        try:
            self.screen.action_copy_text()
        except SkipAction:  # nothing is selected
            pass
        else:
            return
        key = shown_key(self._appearance.keymap["interrupt"].split(",")[0])
        if self._is_repeated("interrupt"):
            self.exit()
        elif self.dashboard.is_busy and self.screen is self.dashboard:
            self.dashboard.action_stop()
            self._say_here(f"stopped; {key} again quits")
        else:
            self._say_here(f"{key} again quits")

    async def action_quit(self) -> None:
        """Ctrl+Q; while an answer is running only when it is pressed again."""
        if not self.dashboard.ends_answer or self._is_repeated("quit"):
            self.exit()
        else:
            self._say_here(f"an answer is running; {self._key('quit')} again quits")

    def _is_repeated(self, question: str) -> bool:
        """Whether this was asked within the last seconds; from now on it has been."""
        now_s, asked, since_s = time.monotonic(), self._asked, self._asked_s
        self._asked, self._asked_s = question, now_s
        return asked == question and now_s - since_s <= ASK_AGAIN_S

    def _say_here(self, text: str) -> None:
        """One sentence in the bottom line of the screen that is open."""
        bars = self.screen.query(MessageBar) or self.dashboard.query(MessageBar)
        bars.first().say(text, "warn")

    # Help and commands ----------------------------------------------------------------------

    def action_help(self) -> None:
        """F1: the keys of the screen that is open, and all others; once more: back."""
        from tui.screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.screen.action_leave()
            return
        place: Place = getattr(self.screen, "HELP_PLACE", "chat")
        appearance = self._appearance
        self.push_screen(HelpScreen(appearance.keymap, __version__, appearance.glyphs, place))

    def action_command_palette(self) -> None:
        """Ctrl+P: what works on the screen that is open; once more: back."""
        from tui.screens.palette import PaletteScreen

        if isinstance(self.screen, PaletteScreen):
            self.screen.action_back()
            return
        works = self._working()

        def run(action_id: str | None) -> None:
            if action_id is not None:
                active = works[action_id]
                # The palette is closed by now: this is no Esc that was meant for it.
                action = "stop(True)" if action_id == "stop" else active.binding.action
                self.call_later(self.run_action, action, active.node)

        self.push_screen(PaletteScreen(self.commands, self._appearance.glyphs), run)

    def action_choose_theme(self) -> None:
        """Alt+V: the themes, each shown as one comes to it; once more: back."""
        from tui.screens.theme_chooser import ThemeScreen

        if isinstance(self.screen, ThemeScreen):
            self.screen.action_back()
            return

        def keep(name: str | None) -> None:
            if name is not None:
                self.theme = name
                self.keep_theme(name)

        self.push_screen(ThemeScreen(self.colours.words, self._appearance.glyphs), keep)

    def keep_theme(self, name: str) -> None:
        """The user has chosen this theme."""

    def _working(self) -> dict[str, ActiveBinding]:
        """What works on the screen that is open, by action."""
        active = self.screen.active_bindings.values()
        return {one.binding.id: one for one in active if one.binding.id is not None}

    @property
    def commands(self) -> list[Command]:
        """What the palette offers on the screen that is open."""
        from tui.core.screen.commands import commands_of

        works = self._working().keys() - {"palette"}
        actions = [key for key in ACTIONS if key.action_id in works]
        return commands_of(actions, self._appearance.keymap)

    def _fatal_error(self) -> None:
        """Called by Textual for an exception that nobody handled.

        Its own version prints a traceback over the user's terminal; ours ends the app, and the
        start writes the traceback to a file and one sentence to the terminal.
        """
        self.bell()
        self._close_messages_no_wait()

    @property
    def crash(self) -> Exception | None:
        """The exception that ended the app, if one did."""
        return self._exception
