"""The lab's list: prompt sets and runs."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import ClassVar

from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import BindingType

from tui.core.screen.keys.lab import LAB_LIST_KEYS
from tui.core.text.glyphs import Glyphs
from tui.lab.model.screen import LabView, RunRow, SetRow
from tui.screens.lab.page import LabData, LabPage
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row
from tui.widgets.kit.rows_panel import RowsPanel
from tui.widgets.lab.lists import run_rows, set_rows

LOOK_S = 2.0


class LabScreen(LabPage):
    """Enter runs the chosen set, or opens the chosen run."""

    DEFAULT_CSS = """
    LabScreen #sets { height: 50%; margin-top: 1; }
    LabScreen #runs { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings(LAB_LIST_KEYS)
    HINTS = (
        HintOf("run", "lab.open"),
        HintOf("edit", "lab.edit"),
        HintOf("new", "lab.new"),
        HintOf("in your editor", "lab.editor"),
        HintOf("runs", "lab.next_part"),
        HintOf("back", "lab.back"),
        HintOf("help", "help"),
    )
    RUN_HINTS = (
        HintOf("open", "lab.open"),
        HintOf("run what is missing", "lab.retry"),
        HintOf("export", "lab.export"),
        HintOf("sets", "lab.next_part"),
        HintOf("back", "lab.back"),
        HintOf("help", "help"),
    )

    def __init__(self, data: LabData, glyphs: Glyphs, set_name: str = "") -> None:
        super().__init__(data, glyphs)
        self._view = LabView()
        self._is_at_runs = False
        self._at = [0, 0]
        self._note = ""
        self._noted = ""
        self._wanted = set_name

    def compose(self) -> ComposeResult:
        yield from self.compose_header()
        yield RowsPanel(self._sets, self.glyphs, id="sets")
        yield RowsPanel(self._runs, self.glyphs, id="runs", classes="ruled")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self.set_interval(LOOK_S, self._look)
        self._look()

    def on_screen_resume(self) -> None:
        self._look()

    def _sets(self, width: int, height: int) -> list[Row]:
        at = None if self._is_at_runs else self._at[0]
        key = self.key("lab.new")
        return set_rows(self._view, at, self._note, width, height, self.glyphs, key)

    def _runs(self, width: int, height: int) -> list[Row]:
        at = self._at[1] if self._is_at_runs else None
        return run_rows(self._view.runs, at, width, height, self.glyphs)

    def _look(self) -> None:
        if not self.is_covered or not self._view.has_looked:
            self.run_worker(self._read(), group="look", exclusive=True)

    async def _read(self) -> None:
        view = await self.ask(self.session.look)
        if view is None:
            return
        self._view = view
        names = [one.name for one in view.sets]
        if self._wanted in names:
            self._at[0], self._wanted = names.index(self._wanted), ""
        self._at = [
            max(0, min(at, len(rows) - 1))
            for at, rows in zip(self._at, (view.sets, view.runs), strict=True)
        ]
        self.pull()
        await self._tell_expected()

    async def _tell_expected(self) -> None:
        chosen = self._set
        if chosen is None or chosen.problem or chosen.name == self._noted:
            return
        self._noted = chosen.name
        self._note = await self.ask(lambda: self.session.expected_words(chosen.name)) or ""
        self.pull()

    @property
    def _set(self) -> SetRow | None:
        return self._view.sets[self._at[0]] if self._at[0] < len(self._view.sets) else None

    @property
    def _run(self) -> RunRow | None:
        return self._view.runs[self._at[1]] if self._at[1] < len(self._view.runs) else None

    # Keys -----------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        part = int(self._is_at_runs)
        count = len(self._view.runs if self._is_at_runs else self._view.sets)
        if count:
            self._at[part] = max(0, min(count - 1, self._at[part] + step))
            self.pull()
            self.run_worker(self._tell_expected(), group="expected", exclusive=True)

    def action_part(self) -> None:
        self._is_at_runs = not self._is_at_runs
        self.show_hints(self.RUN_HINTS if self._is_at_runs else self.HINTS)
        self.pull()

    async def action_open(self) -> None:
        run, chosen = self._run, self._set
        if self._is_at_runs and run is not None:
            refusal = await self.ask(lambda: self.session.open(run.id))
        elif not self._is_at_runs and chosen is not None:
            refusal = await self.ask(lambda: self.session.start(chosen.name))
        else:
            return
        if refusal is not None:
            self.say(refusal, "warn")
        elif not self.is_covered:
            self.post_message(self.OpenMatrix(self))

    async def action_retry(self) -> None:
        run = self._run
        if not self._is_at_runs or run is None:
            return
        if run.outcome == "complete":
            self.say("this run is complete, nothing is missing")
            return
        refusal = await self.ask(lambda: self.session.resume(run.id))
        if refusal is not None:
            self.say(refusal, "warn")
        else:
            self.post_message(self.OpenMatrix(self))

    async def action_export(self) -> None:
        run = self._run
        if self._is_at_runs and run is not None:
            self.say(await self.ask(lambda: self.session.export(run.id)) or "")

    async def action_new(self) -> None:
        name = await self.ask(self.session.new_set)
        if name:
            self._wanted = name
            self._look()
            self.post_message(self.OpenText(self, name))

    def action_edit(self) -> None:
        if not self._is_at_runs and self._set is not None:
            self.post_message(self.OpenText(self, self._set.name))

    def action_editor(self) -> None:
        """Gives the terminal to the user's editor until it ends."""
        chosen = self._set
        if self._is_at_runs or chosen is None:
            return
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
        if not editor:
            self.say(f"no editor is set: export EDITOR; {self.key('lab.edit')} edits here", "warn")
            return
        try:
            with self.app.suspend():
                command = [*shlex.split(editor), self.session.path_of(chosen.name)]
                subprocess.run(command, check=False)
        except (OSError, ValueError, SuspendNotSupported) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.say(f"the editor cannot be started: {reason}", "warn")
        self._noted = ""
        self._look()
