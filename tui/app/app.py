"""The Textual app: opens the screens, takes samples of the board, quits."""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.actions import SkipAction
from textual.app import App, SystemCommand
from textual.binding import ActiveBinding, BindingType
from textual.driver import Driver
from textual.events import Event
from textual.screen import Screen, SystemModalScreen
from textual.scrollbar import ScrollBar
from textual.theme import Theme

from tui import __version__
from tui.app.last_session import KEEP_EVERY_S, LastSession
from tui.app.terminal.input_order import InputOrder
from tui.core.screen.chat import ANSWER_RUNS
from tui.core.screen.key_names import key_cap, shown_key, shown_keys
from tui.core.screen.keymap import Place
from tui.core.screen.keys.chat import GLOBAL_KEYS, INTERRUPT
from tui.core.screen.keys.table import ACTIONS
from tui.core.text.glyphs import Glyphs
from tui.core.types import GenerationSettings
from tui.screens.dashboard import Dashboard

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tui.app.backend import Backend
    from tui.screens.bench.page import BenchPage
    from tui.screens.history.page import HistoryData, HistoryPage

from tui.app.themes import LIBRARY_CSS
from tui.widgets.chat.message_line import MessageBar
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import AsciiScrollBar

MAX_OSC52_BYTES = 74_000
"""Terminals drop longer texts: xterm's limit is 100,000 bytes in base64."""


START_AFTER_S = 0.1
"""Between the first paint and the search for a server: the first keys come before its imports."""
HANGUP_CODE = 128 + signal.SIGHUP
"""The exit code after the terminal was closed."""
ASK_AGAIN_S = 4.0
"""The same key within this time means yes."""
GARBAGE_THRESHOLDS = (700, 10, 10)
"""Python's own, which the start raises."""


@dataclass(frozen=True)
class Appearance:
    """How the app looks and listens, decided before it starts."""

    glyphs: Glyphs
    themes: Sequence[Theme]
    theme: str
    chosen_theme: str
    """What the user wants; ``theme`` differs from it only for this run (NO_COLOR)."""
    is_colourless: bool
    """NO_COLOR is set."""
    keymap: Mapping[str, str]
    has_bell: bool
    """Ring the terminal's bell with every new alert."""
    copy_file: Path
    """Takes what is too long for the clipboard."""
    frames_per_s: int
    sample_interval_s: float
    messages: Sequence[str] = ()
    """What the start has to say: warnings of the config file, broken themes."""


class NpulseApp(App[int], inherit_bindings=False):
    """npulse, wired. The first paint comes before anything is looked for."""

    TITLE = "npulse"
    CSS = LIBRARY_CSS
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(GLOBAL_KEYS),
        *bindings([INTERRUPT], has_priority=False),
    ]

    def __init__(
        self,
        backend: Backend,
        appearance: Appearance,
        remember: Callable[[str, GenerationSettings], str | None] = lambda theme, settings: None,
        session: LastSession | None = None,
        *,
        finishes_on_hangup: bool = False,
    ) -> None:
        # Textual chooses its filter for NO_COLOR here, before there is a theme to ask.
        super().__init__(ansi_color=True if appearance.is_colourless else None)
        # Animations cost frames, and blend colours that a theme of sixteen does not have.
        self.animation_level = "none"
        self.set_class(appearance.glyphs.is_ascii, "-ascii")
        if appearance.glyphs.is_ascii:
            ScrollBar.renderer = AsciiScrollBar
        self._backend = backend
        self._appearance = appearance
        self._remember = remember
        self._session = session
        self._finishes_on_hangup = finishes_on_hangup
        self._chosen_theme = appearance.chosen_theme
        self._sampling = ThreadPoolExecutor(1, thread_name_prefix="npulse-board")
        self._is_sampling = False
        self._asked, self._asked_s = "", 0.0
        self._is_open = False
        self._ending_code: int | None = None
        self._has_to_stop = False
        self._opening = ExitStack()
        self._input_order = InputOrder(self, super().on_event)
        for theme in appearance.themes:
            self.register_theme(theme)
        self.theme = appearance.theme
        for name in set(self.available_themes) - {theme.name for theme in appearance.themes}:
            self.unregister_theme(name)
        self.set_keymap(dict(appearance.keymap))

    # Start and end --------------------------------------------------------------------------

    def get_driver_class(self) -> type[Driver]:
        """The terminal with our parser of input and our handlers of signals."""
        from tui.app.terminal.driver import TerminalDriver

        return TerminalDriver

    async def on_event(self, event: Event) -> None:
        await self._input_order.take(event)

    def get_default_screen(self) -> Dashboard:
        appearance = self._appearance
        return Dashboard(
            self._backend,
            appearance.glyphs,
            appearance.keymap,
            self._copy,
            appearance.frames_per_s,
        )

    def _key(self, action_id: str) -> str:
        """The first key of an action, as short as it is shown."""
        return key_cap(self._appearance.keymap[action_id])

    def on_load(self) -> None:
        # Mounting draws the whole screen four times over; over a slow line only the last counts.
        self._opening.enter_context(self.batch_update())

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, self._theme_chosen)
        self.dashboard.call_after_refresh(self._opened)
        self.set_timer(START_AFTER_S, self._start)

    def _opened(self) -> None:
        """The first paint is done."""
        self._opening.close()
        self._is_open = True
        if self._ending_code is not None:
            self.exit(return_code=self._ending_code)

    def end_with(self, code: int) -> None:
        """End with this exit code; not before every widget is there, for an end between would
        take them from under those that look for them."""
        self._ending_code = code
        if self._is_open:
            self.exit(return_code=code)

    def stop_answer(self) -> None:
        """A second signal: what runs is not finished, whatever the first one was."""
        self._has_to_stop = True

    @property
    def outlives_terminal(self) -> bool:
        """Whether the terminal is gone and the answer that runs is to be finished. From any
        thread."""
        is_hangup = self._ending_code == HANGUP_CODE and self._finishes_on_hangup
        return is_hangup and not self._has_to_stop and self._backend.is_keeping_answer

    def _start(self) -> None:
        """Everything that the first paint does not need."""
        # What is there by now stays to the end. Set aside, it neither makes a search for garbage
        # long, which would delay a token's stamp, nor lets garbage grow to a quarter of its size.
        gc.freeze()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        self._backend.start(
            lambda: self.call_later_from_thread(self._server_changed),
            lambda problem: self.call_later_from_thread(lambda: self._tell_problem(problem)),
        )
        self.set_interval(self._appearance.sample_interval_s, self._sample)
        self.call_later(self._sample)
        for message in self._appearance.messages:
            self.dashboard.say(message, "warn")
        if self._session is not None:
            self.run_worker(self._bring_back(self._session), group="session")

    async def _bring_back(self, session: LastSession) -> None:
        new_key = shown_key(self._appearance.keymap["new"].split(",")[0].strip())
        await session.bring_back(self.dashboard, new_key)
        self.set_interval(KEEP_EVERY_S, self._keep_place)

    def _keep_place(self) -> None:
        """Where the user is, for the next start."""
        if self._session is not None and self._is_open:
            is_left = self.outlives_terminal
            place = self._session.place(self.dashboard, is_left_running=is_left)
            self._session.keep(place, self._tell_unkept)

    def _tell_unkept(self, problem: str) -> None:
        self.call_later_from_thread(lambda: self.dashboard.say(problem, "warn"))

    def exit(
        self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """End the app, and keep where the user was."""
        self._keep_place()
        super().exit(result, return_code, message)

    def call_later_from_thread(self, callback: Callable[[], None]) -> None:
        """Run a callback in the app's thread; dropped where the app is ending."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.call_later, callback)

    def on_unmount(self) -> None:
        self._sampling.shutdown(wait=False, cancel_futures=True)

    @property
    def dashboard(self) -> Dashboard:
        """The screen at the bottom of the stack."""
        screen = self.screen_stack[0]
        assert isinstance(screen, Dashboard)
        return screen

    # What happens elsewhere -----------------------------------------------------------------

    def _server_changed(self) -> None:
        self.dashboard.show_server()

    def _tell_problem(self, problem: str | None) -> None:
        if problem is None:
            self.dashboard.say("answers are kept again")
        else:
            self.dashboard.say(problem, "warn")

    async def _sample(self) -> None:
        """One sample in the worker thread; left out where the last one still runs."""
        if self._is_sampling:
            return
        self._is_sampling = True
        try:
            loop = asyncio.get_running_loop()
            snapshot = await loop.run_in_executor(self._sampling, self._backend.sample)
        finally:
            self._is_sampling = False
        self._backend.on_snapshot(snapshot)
        facts = self._backend.board.facts
        if self._appearance.has_bell and facts is not None and facts.has_new_alert:
            self.bell()
        self.dashboard.show_board()

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

    def _theme_chosen(self, theme: Theme) -> None:
        self._chosen_theme = theme.name
        self._keep()

    def _keep(self) -> bool:
        """Keep theme and settings for the next start; False where it could not, and was said."""
        problem = self._remember(self._chosen_theme, self._backend.chat.settings)
        if problem is not None:
            self.dashboard.say(problem, "warn")
        return problem is None

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
        if not self.dashboard.is_busy or self._is_repeated("quit"):
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

    # Screens --------------------------------------------------------------------------------

    def action_help(self) -> None:
        """F1: the keys of the screen that is open, and all others; once more: back."""
        from tui.screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.screen.action_back()
            return
        if isinstance(self.screen, SystemModalScreen):
            return  # the command palette
        place: Place = getattr(self.screen, "HELP_PLACE", "chat")
        appearance = self._appearance
        self.push_screen(HelpScreen(appearance.keymap, __version__, appearance.glyphs, place))

    def action_models(self) -> None:
        """F2."""
        from tui.screens.models import ModelsScreen

        self.push_screen(ModelsScreen(self._backend.models, self._appearance.glyphs))

    def action_board(self) -> None:
        """F5."""
        from tui.screens.board import BoardScreen

        self.push_screen(BoardScreen(self._backend, self._copy, self._appearance.glyphs))

    def action_bench(self) -> None:
        """F3."""
        from tui.screens.bench.chooser import BenchScreen
        from tui.screens.bench.page import BenchData

        data = BenchData(self._backend.bench, self._backend.headline)
        self.push_screen(BenchScreen(data, self._appearance.glyphs))

    def _open_bench_page(self, event: BenchPage.Open) -> None:
        """A page of the bench screens asks for another one."""
        from tui.screens.bench.navigation import open_page

        open_page(event)

    on_bench_page_open_run = on_bench_page_open_result = _open_bench_page
    on_bench_page_open_comparison = on_bench_page_open_request = _open_bench_page

    def action_history(self) -> None:
        """F4."""
        from tui.screens.history.list import HistoryScreen

        self.push_screen(HistoryScreen(self._history_data(), self._appearance.glyphs))

    def _history_data(self) -> HistoryData:
        from tui.screens.history.page import HistoryData

        return HistoryData(self._backend.history, self._backend.headline, self._copy)

    def on_history_page_open_conversation(self, event: HistoryPage.OpenConversation) -> None:
        from tui.screens.history.conversation import ConversationScreen

        data, glyphs = self._history_data(), self._appearance.glyphs
        self.push_screen(ConversationScreen(data, glyphs, event.conversation, event.turn))

    def on_history_page_open_answers(self, event: HistoryPage.OpenAnswers) -> None:
        from tui.screens.history.answers import AnswersScreen

        self.push_screen(AnswersScreen(self._history_data(), self._appearance.glyphs, event.turns))

    async def on_history_page_continue(self, event: HistoryPage.Continue) -> None:
        """A stored conversation goes on in the chat."""
        history, chat = self._backend.history, self._backend.chat
        found = await event.page.ask(
            lambda: history.resume(event.conversation, event.leaf, from_start=event.is_from_start)
        )
        if found is None:
            return
        if not chat.resume(found):
            event.page.say(ANSWER_RUNS, "warn")
            return
        event.page.action_leave()
        self.dashboard.show_conversation(found.past, event.prompt, f"continuing: {found.title}")

    def action_settings(self) -> None:
        """F6."""
        from tui.app.generation_rules import setting_notes, setting_problems
        from tui.screens.settings import SettingsScreen

        backend = self._backend

        def take(settings: GenerationSettings | None) -> None:
            if settings is not None:
                backend.chat.settings = settings
                if self._keep():
                    self.dashboard.say("settings taken; they apply from the next answer on")

        form = SettingsScreen(
            backend.chat.settings,
            lambda settings: setting_problems(backend.state.server, settings),
            setting_notes(backend.state.server),
            self._appearance.glyphs,
        )
        self.push_screen(form, take)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the command palette offers: what the keys of ``screen`` do, and the themes."""
        works = {active.binding.id: active for active in screen.active_bindings.values()}
        for key in ACTIONS:
            active = works.get(key.action_id)
            if active is not None and key.action_id != "palette":
                text = active.binding.description
                keys = shown_keys(self._appearance.keymap[key.action_id])
                yield SystemCommand(text[0].upper() + text[1:], keys, self._runs(active))
        about = "dark, light, high contrast, sixteen colours, your own"
        yield SystemCommand("Choose another theme", about, self.action_change_theme)

    def _runs(self, active: ActiveBinding) -> Callable[[], None]:
        # Chosen in the palette, which has just closed, it is no Esc that was meant for the palette.
        action = "stop(True)" if active.binding.id == "stop" else active.binding.action

        def run() -> None:
            self.call_later(self.run_action, action, active.node)

        return run

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
