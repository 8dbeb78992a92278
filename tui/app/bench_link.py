"""Link from the chat to the benchmarks: loads them on demand, and blocks prompts while one runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui.app.board_monitor import BoardMonitor
from tui.app.chat_session import ChatSession
from tui.app.server_link import ServerLink
from tui.core.screen.chat import ANSWER_RUNS
from tui.core.screen.key_names import key_cap
from tui.core.text.format import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui.bench.session.process import BenchPlace
    from tui.bench.session.session import Benchmarks
    from tui.lab.session import Lab


@dataclass(frozen=True, slots=True)
class BenchLock:
    """Whether a process holds a lock of the benchmarks (that of this machine, or of many boards),
    whether it uses the NPU of this machine, and why a prompt to the connected server should wait
    for it, in one sentence."""

    is_held: bool = False
    is_here: bool = False
    reason: str | None = None


def read_lock(url: str | None, folder: Path | None = None) -> BenchLock:
    """Reads the lock of the benchmarks, for the server at ``url``. Where none was ever run here,
    their code is not loaded. ``folder`` is that of runs, where it has been looked for."""
    from tui.bench.store.folder import LOCK_FILE, boards_folder, default_folder

    folder = folder or default_folder()
    places = [one for one in (folder, boards_folder(folder)) if (one / LOCK_FILE).exists()]
    if not places:
        return BenchLock()
    from tui.bench.store.runs import holder

    held = [one for one in places if holder(one) is not None]
    if folder not in held:
        return BenchLock(is_held=bool(held))
    from tui.bench.store.active_run import is_here, why_wait

    reason = None if url is None else why_wait(folder, url)
    return BenchLock(is_held=True, is_here=is_here(folder), reason=reason)


class BenchLink:
    """``keys`` are those of the bench screen, as configured; empty where it has none. ``boards``
    are the names of those that a run can be shared out to."""

    def __init__(
        self,
        link: ServerLink,
        chat: ChatSession,
        board: BoardMonitor,
        keys: str,
        boards: Sequence[str] = (),
    ) -> None:
        self._link = link
        self._chat = chat
        self._board = board
        self._keys = (key_cap(keys),) if keys else ()
        self._boards = boards
        self._benchmarks: Benchmarks | None = None
        self._lab: Lab | None = None
        self._runs: Path | None = None
        """The folder of runs, once it was looked for."""
        self.lock = BenchLock()
        """The lock as of the last board sample."""

    @property
    def benchmarks(self) -> Benchmarks:
        """The benchmarks of this run of npulse; loaded when first asked for."""
        if self._benchmarks is None:
            from tui.bench.session.session import Benchmarks

            self._benchmarks = Benchmarks(
                self._link.loop,
                self._place,
                lambda: self._chat.settings,
                self._why_no_bench,
                boards=self._boards,
            )
        return self._benchmarks

    @property
    def lab(self) -> Lab:
        """The prompt lab, whose runs are benchmarks; loaded when first asked for."""
        if self._lab is None:
            from tui.lab.session import Lab

            self._lab = Lab(self._place, self._why_no_bench)
        return self._lab

    @property
    def is_begun_elsewhere(self) -> bool:
        """Whether a benchmark runs that this npulse neither started nor follows."""
        is_ours = self._benchmarks is not None and self._benchmarks.is_running
        return self.lock.is_held and not is_ours

    def look_at_lock(self) -> None:
        """Whether a benchmark runs. Called in the sampling thread, for it reads files."""
        if self._runs is None:
            from tui.bench.store.folder import default_folder

            self._runs = default_folder()
        server = self._link.state.server
        url = None if server is None else self._board.source.url_there(server.url)
        self.lock = read_lock(url, self._runs)

    def note(self) -> str | None:
        """The benchmark that is running and how far it is; None where there is none."""
        if self._benchmarks is None or not self._benchmarks.is_running:
            return None
        run = self._benchmarks.view().run
        if run is None:
            return None
        done = len(run.plan) - run.count("waiting") - run.count("running")
        planned = run.planned or len(run.plan)
        words = f"bench {done}/{planned} prompts" if planned else "bench starting"
        return ", ".join((words, *self._keys))

    def work_of_boards(self) -> Mapping[str, str]:
        """What a run on many boards that is followed has each of them do, in words; by name."""
        if self._benchmarks is None or not self._benchmarks.is_running:
            return {}
        run = self._benchmarks.view().run
        boards = () if run is None else run.boards
        working = [one for one in boards if one.board.state == "working"]
        return {
            one.board.name: f"bench {one.board.answered} done, "
            f"now {one.asked_words or one.board.sentence or UNKNOWN}"
            for one in working
        }

    def why_wait(self) -> str | None:
        """Why a prompt should wait: a benchmark, also one of another terminal, would be spoilt by
        an answer. None where none runs."""
        server = self._link.state.server
        busy = None
        if self._benchmarks is not None and server is not None:
            busy = self._benchmarks.busy_sentence(self._board.source.url_there(server.url))
        busy = busy or self.lock.reason
        return busy and "; ".join((busy, *(f"{key} shows it" for key in self._keys)))

    def _place(self) -> BenchPlace | None:
        state = self._link.state
        server, model = state.server, state.in_use
        if server is None:
            return None
        from tui.bench.session.process import BenchPlace

        root = self._board.source.root
        return BenchPlace(
            url=server.url,
            label=self._board.source.words_there(server.label),
            model=None if model is None else model.name,
            size_bytes=None if model is None else model.size_bytes,
            context_tokens=None if model is None else model.context_tokens,
            root=None if root == Path("/") else root,
            is_elsewhere=self._board.source.line is not None,
            own_login=self._board.source.own_login(server.url),
            is_simulated=server.is_simulated,
        )

    def _why_no_bench(self) -> str | None:
        if self._chat.is_answering:
            return ANSWER_RUNS
        return self._chat.finishing_note
