"""Fixes of this board for the screen: each one works in a thread of its own.

What is done here is what ``npulse doctor --fix`` does, by the same functions.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tui.app.board_source import BoardReader
from tui.bench.model.options import Options
from tui.bench.run.connect import Connected
from tui.bench.store.controls import Controls
from tui.bench.store.folder import default_folder
from tui.core.board.finding import Finding
from tui.core.board.fix import Fix
from tui.core.screen.board_fix import FixStage, FixView
from tui.core.text.sanitize import clean_line
from tui.files.private import write_whole
from tui.fixes.applying import Applied, Undone
from tui.fixes.card import card_of, markdown, svg
from tui.fixes.change import BoardPlace, Change, FixError
from tui.fixes.idle_wait import WaitOptions
from tui.fixes.plan_text import effect_lines, in_force_words, plan_lines, undo_lines
from tui.fixes.session import (
    FixResult,
    fix_and_compare,
    fix_of,
    in_force,
    measuring,
    server_of_board,
    undo_change,
)
from tui.fixes.trial import TrialProgress
from tui.fixes.writers import FileWriter, needs_root, open_writer
from tui.servers.connection_state import ConnectionState
from tui.settings.board_changes import BoardChanges
from tui.settings.folders import data_folder
from tui.settings.history_options import history_file

ELSEWHERE = "this board is somewhere else: run npulse doctor --fix on it"
NO_BOARD = "the board is not known yet"
NO_FIX = "npulse has no fix for this finding"
NO_FINDING = "nothing is found to be fixed; most of it shows only while a model computes"
END_S = 3.0
CARDS = "cards"


class Fixes:
    """See :class:`tui.core.screen.board_fix.BoardFixes`. ``why_wait``: why nothing may be asked of
    the server now, ``in_use``: what this npulse itself uses it for, which ends, as a clause; it may
    be called in any thread. All else is called in the app's thread."""

    def __init__(
        self,
        source: BoardReader,
        state: Callable[[], ConnectionState],
        why_wait: Callable[[], str | None],
        in_use: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._source = source
        self._state = state
        self._why_wait = why_wait
        self._waits = WaitOptions(
            in_use, history_file(), self._waits_for, is_hurried=lambda: self._is_hurried
        )
        self._is_hurried = False
        self._memory = BoardChanges()
        self._view = FixView("asking")
        self._fix: Fix | None = None
        self._change: Change | None = None
        self._place = BoardPlace(Path("/"))
        self._writer: FileWriter | None = None
        self._controls = Controls()
        self._worker: threading.Thread | None = None
        self._result: FixResult | None = None
        self._lock = threading.Lock()
        """Of the view, which the worker changes."""

    def view(self) -> FixView:
        with self._lock:
            view = self._view
        if view.stage == "asking" and self._fix is not None:
            # Whether answers can be compared changes meanwhile: another one runs, and ends.
            return replace(view, notes=self._notes(self._fix))
        return view

    def _show(self, view: FixView) -> None:
        with self._lock:
            self._view = view

    # Opening --------------------------------------------------------------------------------

    def open(self, finding: Finding | None) -> str | None:
        """Prepare the fix of a finding, or, where it has none, the undo of what is in force.
        Returns None, or one sentence why there is nothing to show."""
        if self._is_working:
            return None
        root = self._source.root
        if self._source.line is not None:
            return ELSEWHERE
        if root is None:
            return NO_BOARD
        self._place = BoardPlace(root)
        self._result = None
        fix = None if finding is None else finding.fix
        try:
            if fix is not None and finding is not None:
                self._ask(fix, finding.evidence)
                return None
            kept, said = in_force(self._memory, self._place)
        except FixError as error:
            return str(error)
        if not kept:
            return said[0] if said else NO_FINDING if finding is None else NO_FIX
        self._show_kept(kept[0])
        return None

    def _ask(self, fix: Fix, evidence: str) -> None:
        self._fix, self._change = fix, None
        is_by_sudo = needs_root(fix, self._place)
        self._show(
            FixView(
                "asking",
                clean_line(fix.title, 120),
                clean_line(evidence, 300),
                tuple(plan_lines(fix, self._place, is_by_sudo=is_by_sudo)),
                needs_password=is_by_sudo,
            )
        )

    def _notes(self, fix: Fix) -> tuple[str, ...]:
        has_server = self._state().server is not None
        notes = effect_lines(fix, can_measure=has_server)
        if fix.measured_by and not has_server:
            notes.append("Answers are not compared: no server answers.")
        elif (wait := self._why_wait()) is not None:
            notes.append(f"It cannot begin now: {wait}.")
        elif fix.measured_by and (in_use := self._waits.own()) is not None:
            notes.append(f"It begins once the server is free: {in_use}.")
        return tuple(notes)

    def _show_kept(self, change: Change) -> None:
        """A change that was made earlier, by this npulse or another one."""
        self._fix, self._change = None, change
        self._show(
            FixView(
                "in force",
                clean_line(change.title, 120),
                plan=tuple(undo_lines(change)),
                notes=(f"{in_force_words(change)}.",),
                needs_password=needs_root(fix_of(change), self._place),
            )
        )

    # Working --------------------------------------------------------------------------------

    @property
    def _is_working(self) -> bool:
        return self._worker is not None and self._worker.is_alive()

    def take_root(self) -> str | None:
        try:
            if self._writer is None:
                self._writer = open_writer(self._paths(), self._place, is_by_sudo=True)
        except FixError as error:
            return str(error)
        return None

    def _paths(self) -> list[str]:
        if self._fix is not None:
            return [write.path for write in self._fix.writes]
        return [] if self._change is None else [file.path for file in self._change.files]

    def confirm(self) -> None:
        fix = self._fix
        if self.view().stage == "waiting":
            self._is_hurried = True
            return
        if fix is None or self._is_working or self.view().stage != "asking":
            return
        self._controls, self._is_hurried = Controls(), False
        # A benchmark that runs is found by its lock, in the worker.
        options = self._options()
        self._show(replace(self.view(), stage="working", total=8 if fix.measured_by else 0))
        self._start(lambda: self._do(fix, options))

    def _options(self) -> Options | None:
        state = self._state()
        if state.server is None:
            return None
        model = state.in_use
        return Options(
            folder=default_folder(),
            urls=(state.server.url,),
            access=state.server.access,
            model=None if model is None else model.name,
        )

    def _start(self, work: Callable[[], None]) -> None:
        self._worker = threading.Thread(target=work, name="npulse-fixes", daemon=True)
        self._worker.start()

    def _do(self, fix: Fix, options: Options | None) -> None:
        """In the worker."""
        try:
            writer = self._writer or open_writer([], self._place, is_by_sudo=False)
            applied = Applied(fix, self._place, writer, self._memory)
            with measuring(default_folder()):
                result = asyncio.run(self._compare(applied, options))
        except FixError as error:
            result = FixResult(error=str(error))
        self._result, self._change = result, result.change
        view = self.view()
        if result.error:
            said = clean_line(result.error, 400)
            self._show(replace(view, stage="failed", result=said, notes=()))
            return
        said = "Done." if result.trial is None else result.trial.sentence()
        notes = (f"Not measured: {result.unmeasured}",) if result.unmeasured else ()
        is_measured = result.trial is not None and result.trial.row is not None
        self._show(
            replace(
                view,
                stage="in force",
                result=clean_line(said, 400),
                notes=notes,
                is_better=is_measured and result.trial is not None and result.trial.is_better,
                has_card=is_measured,
            )
        )

    async def _compare(self, applied: Applied, options: Options | None) -> FixResult:
        connected: Connected | str = "Answers were not compared."
        if options is not None:
            connected = await server_of_board(options, self._place, self._waits, self._controls)
        try:
            return await fix_and_compare(
                applied,
                connected,
                self._place,
                controls=self._controls,
                on_progress=self._progressed,
            )
        finally:
            if not isinstance(connected, str):
                await connected.client.aclose()

    def _progressed(self, progress: TrialProgress) -> None:
        self._show(
            replace(
                self.view(),
                done=progress.done,
                total=progress.total,
                rates=progress.line(),
                waits_for=clean_line(progress.waits_for, 200),
            )
        )

    def _waits_for(self, reason: str | None) -> None:
        """Before anything is changed. In the worker."""
        stage: FixStage = "working" if reason is None else "waiting"
        self._show(replace(self.view(), stage=stage, waits_for=clean_line(reason or "", 200)))

    def stop(self) -> None:
        self._controls.abort()

    def undo(self) -> None:
        change = self._change
        if change is None or self._is_working or self.view().stage != "in force":
            return
        self._show(replace(self.view(), stage="working", done=0, total=0, rates=""))
        self._start(lambda: self._put_back(change))

    def _put_back(self, change: Change) -> None:
        """In the worker."""
        try:
            writer = self._writer or open_writer([], self._place, is_by_sudo=False)
            with measuring(default_folder()):
                undone = undo_change(change, self._place, writer, self._memory)
        except FixError as error:
            failed = replace(self.view(), stage="in force", notes=(clean_line(str(error), 400),))
            self._show(failed)
            return
        self._change = None
        self._show(replace(self.view(), stage="undone", notes=_sentences(undone), plan=()))

    # The card and the end -------------------------------------------------------------------

    def write_card(self) -> str:
        result = self._result
        if result is None or result.trial is None or result.change is None:
            return "there is no result for a card yet"
        state = self._state()
        model = "" if state.in_use is None else state.in_use.name
        server = "" if state.server is None else state.server.name
        card = card_of(result.change, result.trial, model, server)
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{result.change.rule}"
        folder = data_folder() / CARDS
        try:
            write_whole(folder / f"{name}.md", markdown(card).encode())
            write_whole(folder / f"{name}.svg", svg(card).encode())
        except OSError as error:
            return clean_line(f"the card cannot be written to {folder}: {error.strerror}", 300)
        return clean_line(f"the card is in {folder / name}.md and .svg", 300)

    def leave(self) -> None:
        if self._is_working:
            return
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def close(self) -> None:
        """The end of npulse: what is being compared is put back, if that takes no longer than a
        moment; else the next npulse tells of it."""
        worker = self._worker
        if worker is not None and worker.is_alive():
            self._controls.abort()
            worker.join(END_S)
        with suppress(OSError):
            self.leave()

    def in_force_sentence(self) -> str | None:
        """What is in force from earlier, for the start of npulse; None where nothing is. Reads
        files: not in the app's thread."""
        root = self._source.root
        if root is None or self._source.line is not None or not self._memory.has_file:
            return None
        try:
            kept, said = in_force(self._memory, BoardPlace(root))
        except FixError as error:
            return str(error)
        if kept:
            return f"{in_force_words(kept[0])}: npulse doctor --undo puts it back"
        return said[0] if said else None


def _sentences(undone: Undone) -> tuple[str, ...]:
    said = (*undone.restored, *undone.left)
    return tuple(clean_line(sentence, 400) for sentence in said) or ("Nothing was to be put back.",)
