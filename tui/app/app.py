"""The Textual app: opens the screens, takes samples of the board, quits."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from tui.app.answer_signals import SIGNAL_S, AnswerSignals
from tui.app.last_answers import LastAnswers
from tui.app.memory_saving import give_back_free_memory
from tui.app.sampling import Sampling
from tui.app.terminal_app import Appearance, TerminalApp
from tui.core.screen.attention import Attention
from tui.core.screen.key_names import shown_key
from tui.screens.chat.sources import DashboardSources
from tui.screens.dashboard import Dashboard
from tui.settings.state import Chosen
from tui.widgets.chat.answers import AnswersPanel

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tui.app.app_pages import AppPages
    from tui.app.backend import Backend
    from tui.app.branch_walk import BranchWalk
    from tui.app.history_pages import Asked as AskedOfHistory
    from tui.app.history_pages import HistoryPages
    from tui.app.lab_pages import LabPages
    from tui.app.last_session import LastSession
    from tui.app.timeline_pages import TimelinePages
    from tui.core.types import GenerationSettings
    from tui.history.records import AttachTarget
    from tui.screens.bench.page import BenchPage
    from tui.screens.board import BoardScreen
    from tui.screens.fleet import FleetScreen
    from tui.screens.history.page import HistoryPage
    from tui.screens.lab.page import LabPage
    from tui.screens.timeline import TimelineScreen

PagesT = TypeVar("PagesT", bound="AppPages")
HANGUP_CODE = 128 + signal.SIGHUP
"""The exit code after the terminal was closed."""

KEPT_S = 2.0
"""Time after which a finished answer is in the history."""


class NpulseApp(TerminalApp):
    """The dashboard with its backend. Servers and board are looked for after the first paint."""

    def __init__(
        self,
        backend: Backend,
        appearance: Appearance,
        remember: Callable[[Chosen], str | None] = lambda chosen: None,
        attach: AttachTarget | None = None,
        *,
        has_to_resume: bool = False,
        looks_around: bool = False,
        finishes_on_hangup: bool = False,
    ) -> None:
        super().__init__(appearance)
        self._backend = backend
        self._remember = remember
        self._has_to_resume = has_to_resume
        self._looks_around = looks_around
        """At the start it is looked what other processes left, or still receive."""
        self.next_board: str | None = None
        """The board of the config whose dashboard is wanted after this one."""
        self._session: LastSession | None = None
        self._attach_target = attach
        self._finishes_on_hangup = finishes_on_hangup
        self._chosen_theme = appearance.theme
        bell = self.bell if appearance.has_bell else None
        self._sampling = Sampling(backend, lambda: self.is_resting, bell)
        self._has_to_stop = False
        self._last_answers = LastAnswers(lambda: backend.kept_history.kept)

    # Start and end --------------------------------------------------------------------------

    def get_default_screen(self) -> Dashboard:
        appearance, backend = self._appearance, self._backend
        return Dashboard(
            self._backend,
            appearance.glyphs,
            appearance.keymap,
            self._copy,
            appearance.frames_per_s,
            DashboardSources(
                lambda turn: backend.timelines.of(turn, backend.clock_ns()),
                lambda: self._last_answers.answers,
                lambda: self._last_answers.conversations,
            ),
        )

    def stop_answer(self) -> None:
        """A second signal: stops the running answer, whatever the first one was."""
        self._has_to_stop = True

    @property
    def outlives_terminal(self) -> bool:
        """Whether the terminal is closed and the running answer is to be finished. Thread-safe."""
        return self._ending_code == HANGUP_CODE and self.finishes_without_terminal

    @property
    def finishes_without_terminal(self) -> bool:
        """Whether the answer that runs is to be finished once the terminal is gone. From any
        thread: what a hang-up sets in the app's own has not come where a terminal blocks it."""
        is_wanted = self._finishes_on_hangup and not self._has_to_stop
        return is_wanted and self._backend.is_keeping_answer

    def start_work(self) -> None:
        self._backend.start(
            lambda: self.call_later_from_thread(self._server_changed),
            self._tell_problem,
        )
        self.set_interval(self._appearance.sample_interval_s, self._sample)
        self.call_later(self._sample)
        self.run_worker(self._read_latest(), group="latest")
        if self._appearance.notify:
            self._pay_attention()
        if self._has_to_resume or self._looks_around:
            self.run_worker(self._begin(), group="session")

    def _pay_attention(self) -> None:
        """Starts signals to the terminal while it is not in focus."""
        self.attention = Attention(self._appearance.notify, self._to_terminal, os.environ)
        signals = AnswerSignals(self.attention, self._backend)
        self.watch(self, "app_focus", signals.focus, init=False)
        self.set_interval(SIGNAL_S, signals.tell)

    def _to_terminal(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)
            self._driver.flush()

    async def _begin(self) -> None:
        """Restores the last session, and shows answers of other processes. Loaded after the first
        paint.
        """
        if self._has_to_resume:
            from tui.app.last_session import KEEP_EVERY_S, LastSession
            from tui.settings.session_record import SessionFile, session_file

            session = self._session = LastSession(self._backend, SessionFile(session_file()))
            new_key = shown_key(self._appearance.keymap["new"].split(",")[0].strip())
            separator = self._appearance.glyphs.separator
            hint = f" {separator} {new_key} for a new one" if new_key else ""
            await session.bring_back(self.dashboard, hint)
            self.set_interval(KEEP_EVERY_S, self._keep_place)
        if self._looks_around:
            from tui.app.unseen_answers import show_unseen_answer

            await show_unseen_answer(self._backend, self.dashboard, self._attach_target)
        await self._branch_walk.show_places(self.dashboard)

    def _keep_place(self) -> None:
        """Saves the session for the next start."""
        if self._session is not None and self._is_open:
            is_left = self.outlives_terminal
            place = self._session.place(self.dashboard, is_left_running=is_left)
            self._session.keep(place, self._tell_problem)

    def close_session(self) -> None:
        """Saves the session and releases it to other npulse processes. Blocks."""
        if self._session is not None:
            self._session.close()

    @property
    def _branch_walk(self) -> BranchWalk:
        from tui.app.branch_walk import BranchWalk

        return BranchWalk(self._backend)

    def exit(
        self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """Ends the app, and saves the session."""
        self._keep_place()
        super().exit(result, return_code, message)

    def on_unmount(self) -> None:
        self._sampling.close()

    # What happens elsewhere -----------------------------------------------------------------

    def _server_changed(self) -> None:
        self._backend.chat.on_server_change()
        self.dashboard.show_server()

    def _tell_problem(self, problem: str | None) -> None:
        """What cannot be kept; None: answers are kept again. From any thread."""
        said = ("answers are kept again", "soft") if problem is None else (problem, "warn")
        self.call_later_from_thread(lambda: self.dashboard.say(*said))

    async def _sample(self) -> None:
        if await self._sampling.sample():
            self.dashboard.show_board()

    def keep_theme(self, name: str) -> None:
        """The theme that the user has chosen is that of the next start too."""
        if name != self._chosen_theme:
            self._chosen_theme = name
            self._keep()

    def _keep(self) -> bool:
        """Keep theme and settings for the next start; False where it could not, and was said."""
        chat = self._backend.chat
        loops, is_low = chat.expectations.stops_loops, self.is_low_bandwidth
        problem = self._remember(Chosen(self._chosen_theme, chat.settings, loops, is_low))
        if problem is not None:
            self.dashboard.say(problem, "warn")
        return problem is None

    # Screens --------------------------------------------------------------------------------

    def action_models(self) -> None:
        """F2."""
        from tui.screens.models import ModelsScreen

        self.push_screen(ModelsScreen(self._backend.models, self._appearance.glyphs))

    def action_board(self) -> None:
        """F5."""
        from tui.screens.board import BoardScreen

        self.push_screen(BoardScreen(self._backend, self._copy, self._appearance.glyphs))

    def on_board_screen_wants_fix(self, event: BoardScreen.WantsFix) -> None:
        from tui.screens.fix import FixScreen

        fixes = self._backend.fixes
        problem = fixes.open(event.finding)
        if problem is not None:
            event.page.say(problem, "warn")
        elif self.screen is event.page:
            self.push_screen(FixScreen(fixes, self._appearance.glyphs))

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

    def on_bench_page_open_timelines(self, event: BenchPage.OpenTimelines) -> None:
        if self.screen is event.page:
            self._timeline_pages.open_of_bench(event)

    def action_lab(self) -> None:
        """F8."""
        self._lab_pages.open_list()

    def action_clients(self) -> None:
        """F9."""
        from tui.screens.clients import ClientsScreen

        backend = self._backend
        screen = ClientsScreen(backend.clients, backend.headline, self._appearance.glyphs)
        self.push_screen(screen)

    def action_fleet(self) -> None:
        """F10."""
        from tui.screens.fleet import FleetScreen

        backend = self._backend
        screen = FleetScreen(
            backend.fleet(), backend.headline, self._appearance.glyphs, backend.work_of_boards
        )
        self.push_screen(screen)

    def on_fleet_screen_open(self, event: FleetScreen.Open) -> None:
        """Leave this board for that one."""
        if self._backend.chat.is_answering:
            event.page.say("an answer is running: stop it first, or wait for it", "warn")
            return
        self.next_board = event.name
        self.exit()

    def action_to_lab(self) -> None:
        """The prompt that is typed, else the last one, with the present settings."""
        self.run_worker(self._lab_pages.take_from_chat(), group="lab")

    @property
    def _lab_pages(self) -> LabPages:
        from tui.app.lab_pages import LabPages

        return self._pages(LabPages)

    def _open_lab_page(self, event: LabPage.Open) -> None:
        """A page of the lab asks for another one."""
        from tui.screens.lab.navigation import open_page

        open_page(event)

    on_lab_page_open_matrix = on_lab_page_open_answer = on_lab_page_open_sides = _open_lab_page
    on_lab_page_open_judging = on_lab_page_open_text = _open_lab_page

    def on_lab_page_use(self, event: LabPage.Use) -> None:
        self._lab_pages.use(event, self._keep)

    async def on_history_page_to_lab(self, event: HistoryPage.ToLab) -> None:
        await self._lab_pages.take(event.prompt, event.settings)

    @property
    def _history_pages(self) -> HistoryPages:
        from tui.app.history_pages import HistoryPages

        return self._pages(HistoryPages)

    def _pages(self, kind: type[PagesT]) -> PagesT:
        return kind(self._backend, self.dashboard, self._appearance, self._copy, self.push_screen)

    def action_history(self) -> None:
        """F4."""
        self._history_pages.open_list()

    async def _ask_of_history(self, event: AskedOfHistory) -> None:
        """A page of the history asks for another one, or for something of the chat."""
        await self._history_pages.do(event)

    on_history_page_open_conversation = on_history_page_open_answers = _ask_of_history
    on_history_page_replay = on_history_page_continue = _ask_of_history

    async def on_timeline_screen_replay(self, event: TimelineScreen.Replay) -> None:
        """The answer of a timeline plays again over it."""
        await self._history_pages.replay_timeline(event)

    def on_dashboard_branch_wanted(self, event: Dashboard.BranchWanted) -> None:
        """The branch beside the one that is shown; one at a time."""
        walk = self._branch_walk.step(self.dashboard, event.exchange, event.step)
        self.run_worker(walk, group="branch", exclusive=True)

    def on_dashboard_answer_ended(self, event: Dashboard.AnswerEnded) -> None:
        self._last_answers.ended(event.turn, self._backend.clock_ns())
        self.dashboard.show_latest()
        self.set_timer(KEPT_S, self._show_kept)
        give_back_free_memory()
        self.run_worker(self._branch_walk.show_places(self.dashboard), group="places")

    async def on_answers_panel_chosen(self, event: AnswersPanel.Chosen) -> None:
        await self._read_latest()
        self._say_why_not(self._timeline_pages.open_of_answer(event.answer, self._last_answers))

    def _show_kept(self) -> None:
        self.run_worker(self._read_latest(), group="latest", exclusive=True)

    async def _read_latest(self) -> None:
        self._last_answers.show(await asyncio.to_thread(self._last_answers.read))
        if self.is_running:
            self.dashboard.show_latest()

    @property
    def _timeline_pages(self) -> TimelinePages:
        from tui.app.timeline_pages import TimelinePages

        return self._pages(TimelinePages)

    def action_timeline(self, at: int | None = None) -> None:
        """Alt+T: of the answer that runs, or of the last one; of the answer number ``at`` of the
        conversation."""
        self._say_why_not(self._timeline_pages.open_of_chat(at))

    def _say_why_not(self, refusal: str | None) -> None:
        if refusal is not None:
            self._say_here(refusal)

    def on_history_page_open_timelines(self, event: HistoryPage.OpenTimelines) -> None:
        if self.screen is event.page:
            self._timeline_pages.open_of_history(event)

    def action_settings(self) -> None:
        """F6."""
        from tui.app.settings_form import settings_form, use_settings

        def take(settings: GenerationSettings | None) -> None:
            if settings is not None:
                use_settings(self._backend, form, settings)
                self.save_bandwidth(form.is_low_bandwidth)
                if self._keep():
                    self.dashboard.say("settings saved; they apply from the next answer on")

        glyphs, is_low = self._appearance.glyphs, self.is_low_bandwidth
        form = settings_form(self._backend, glyphs, is_low_bandwidth=is_low)
        self.push_screen(form, take)
