"""Implementation of :class:`tui.lab.model.screen.LabSession`.

A run is a separate process (:mod:`tui.bench.store.detached`), so that it continues when the screen
or the terminal is closed. :meth:`Lab.poll` reads what it has written.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast

import msgspec

from tui.bench.session.listing import expected, speed_of
from tui.bench.session.process import NO_SERVER, BenchPlace, place_arguments
from tui.bench.store import controls, runs
from tui.bench.store.detached import Detached, is_alive, last_words, start
from tui.bench.store.runs import RunError
from tui.core.text.format import forecast_text
from tui.core.text.sanitize import clean_line
from tui.core.types import GenerationSettings
from tui.files.private import read_regular, write_whole
from tui.lab import judging, plan, report, results, store
from tui.lab.figures import agreement, figures_of
from tui.lab.follow import MatrixFollower
from tui.lab.listing import LabListing
from tui.lab.model.judgement import Judgement, Pair
from tui.lab.model.prompt_set import PromptSet
from tui.lab.model.records import LabRun
from tui.lab.model.screen import LabView, OpenLab
from tui.lab.opinions import opinions_of
from tui.lab.sets.parse import load_set, parse_set
from tui.lab.sets.problems import SetError
from tui.lab.sets.starter import as_toml, starter

COUNTED = ("ok", "failed", "skipped")


class Lab:
    """``place`` returns the server and board to measure; ``busy`` returns why nothing can be
    measured now, or None."""

    def __init__(
        self,
        place: Callable[[], BenchPlace | None],
        busy: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._place = place
        self._busy = busy
        self._folders = store.lab_folders()
        self._lock = threading.RLock()
        self._process: Detached | None = None
        self._follower: MatrixFollower | None = None
        self._open: OpenLab | None = None
        self._seen_over = -1
        self._record_ns = -1
        self._judged: tuple[tuple[int, int], Sequence[Judgement]] = (0, 0), ()
        """((mtime in ns, size) of the verdicts' file, its verdicts)."""
        self._listing = LabListing(self._folders)

    # Lists ----------------------------------------------------------------------------------

    def look(self) -> LabView:
        return self._listing.look()

    def expected_words(self, name: str) -> str:
        try:
            found = store.find_set(self._folders, name)
        except SetError as error:
            return error.sentences[0]
        count = len(found.rows) * len(found.variants) * found.repeats
        parts = plan.parts_of(found)
        models = f", {len(parts)} models" if len(parts) > 1 else ""
        place = self._place()
        if place is None:
            return f"{count} requests{models}"
        model = place.model or ""
        speed = speed_of(self._folders.bench, model, is_simulated=place.is_simulated)
        speed.size_bytes = place.size_bytes
        spans = [expected(plan.suite_of(found, p), speed, place.context_tokens) for p in parts]
        likely, low, high = (sum(values) for values in zip(*spans, strict=True))
        return f"{count} requests{models}, {forecast_text(likely, low, high)}"

    # The run --------------------------------------------------------------------------------

    def start(self, name: str) -> str | None:
        try:
            path = store.set_path(self._folders, name)
            load_set(path)
        except SetError as error:
            return error.sentences[0]
        place, refusal = self._place(), self._refusal()
        if place is None or refusal is not None:
            return refusal or NO_SERVER
        model = [f"--model={place.model}"] if place.model else []
        return self._begin("run", [str(path), *model, *place_arguments(place)])

    def resume(self, run_id: str) -> str | None:
        place, refusal = self._place(), self._refusal()
        if place is None or refusal is not None:
            return refusal or NO_SERVER
        return self._begin("resume", [run_id, *place_arguments(place)])

    def _refusal(self) -> str | None:
        other = runs.holder(self._folders.bench)
        return f"a benchmark is running: {other}" if other is not None else self._busy()

    def _begin(self, verb: Literal["run", "resume"], arguments: Sequence[str]) -> str | None:
        try:
            process = start(verb, arguments, self._folders.bench, command="lab")
        except RunError as error:
            return str(error)
        with self._lock:
            self._forget()
            self._process = process
        return None

    def _forget(self) -> None:
        self._follower = self._open = self._process = None
        self._seen_over = self._record_ns = -1
        self._judged = (0, 0), ()

    def open(self, run_id: str) -> str | None:
        with self._lock:
            if self._follower is not None and self._follower.run.id == run_id:
                return None
            self._forget()
            try:
                run = store.read_run(self._folders, run_id)
            except RunError as error:
                return str(error)
            self._follower = MatrixFollower(run, self._folders.bench)
        return None

    def poll(self) -> OpenLab | None:
        with self._lock:
            if self._follower is None and self._process is not None:
                self._follower = self._begun(self._process)
            follower = self._follower
            if follower is None:
                return None
            self._read_record(follower)
            run = follower.run
            is_new = follower.look() or self._open is None
            # A process that has just written is alive; the lock need not be read.
            is_going = is_new and self._open is not None and self._open.is_running
            is_running = is_going or results.is_alive(run, self._folders)
            stands = run if is_running else results.as_it_stands(run, self._folders)
            shown = self._open
            if (
                is_new
                or shown is None
                or (shown.is_running, shown.outcome)
                != (
                    is_running,
                    stands.outcome,
                )
            ):
                self._open = self._shown(follower, stands, is_running=is_running)
            return self._open

    def _begun(self, process: Detached) -> MatrixFollower | None:
        """The run of this process, once it has a record."""
        for run_id in reversed(store.run_ids(self._folders)[-5:]):
            run = _read(self._folders, run_id)
            if run is not None and run.pid == process.pid:
                return MatrixFollower(run, self._folders.bench)
        return None

    def _read_record(self, follower: MatrixFollower) -> None:
        path = self._folders.runs / follower.run.id / store.RECORD_FILE
        try:
            changed_ns = path.stat().st_mtime_ns
        except OSError:
            return
        if changed_ns != self._record_ns:
            self._record_ns = changed_ns
            follower.use(_read(self._folders, follower.run.id) or follower.run)

    def _shown(self, follower: MatrixFollower, run: LabRun, *, is_running: bool) -> OpenLab:
        matrix = follower.matrix(is_running=is_running)
        before = self._open
        judged = self._verdicts(run.id)
        over = sum(a.state in COUNTED for _, a in matrix.answers()) * 10_000 + len(judged)
        figures = () if before is None else before.figures
        if over != self._seen_over:
            # Figures change only with a finished answer or a verdict, and intervals take time.
            self._seen_over = over
            opinions = opinions_of(run, matrix, self._folders.bench)
            figures = figures_of(matrix, judged, opinions)
        return OpenLab(
            run_id=run.id,
            title=clean_line(run.prompt_set.title or run.prompt_set.id, 60),
            matrix=matrix,
            figures=figures,
            agreement=agreement(judged),
            outcome=run.outcome,
            sentence=clean_line(run.sentence, 200),
            is_running=is_running,
            is_paused=follower.is_paused and is_running,
            is_simulated=run.is_simulated,
            left_s=follower.left_s if is_running else None,
            serial=1 if before is None else before.serial + 1,
        )

    def _verdicts(self, run_id: str) -> Sequence[Judgement]:
        """The verdicts; read again only if the file has changed."""
        try:
            status = (self._folders.runs / run_id / store.JUDGEMENTS_FILE).stat()
        except OSError:
            return ()
        state = status.st_mtime_ns, status.st_size
        if self._judged[0] != state:
            self._judged = state, store.judgements(self._folders, run_id)
        return self._judged[1]

    def why_not_begun(self) -> str | None:
        with self._lock:
            process, has_begun = self._process, self._follower is not None
        if process is None or is_alive(process.pid):
            return None
        is_left = has_begun and self.poll() is not None and self._is_kept()
        if is_left:
            return None
        return last_words(process).removeprefix("npulse lab: ") or "the run ended without a result"

    def _is_kept(self) -> bool:
        follower = self._follower
        return follower is not None and follower.run.id in store.run_ids(self._folders)

    def tell(self, word: str) -> str:
        with self._lock:
            follower, process = self._follower, self._process
        run = None if follower is None else follower.run
        if run is None or not results.is_alive(run, self._folders):
            if word == "abort" and process is not None and is_alive(process.pid):
                os.kill(process.pid, 2)
                return "stopping"
            return "this run is not running"
        current = next((p.run_id for p in reversed(run.parts) if p.run_id and not p.outcome), "")
        if not current:
            return "the run has not sent a request yet"
        if word == "pause" and follower is not None and follower.is_paused:
            word = "resume"
        try:
            controls.tell(self._folders.bench / current, cast("controls.Word", word))
        except OSError as error:
            return f"the run cannot be reached: {error.strerror or 'unknown'}"
        return {
            "pause": "pauses after this request; the same key resumes",
            "resume": "resumed",
            "skip": "request skipped; its partial numbers are kept",
        }.get(word, "stopping; answers are kept, the run can be resumed")

    # Files ----------------------------------------------------------------------------------

    def export(self, run_id: str) -> str:
        try:
            result = results.result_of(store.read_run(self._folders, run_id), self._folders)
            folder = self._folders.runs / run_id
            for form, make in report.FORMS.items():
                write_whole(folder / f"report.{form}", make(result))
        except RunError as error:
            return str(error)
        except OSError as error:
            return f"cannot be written: {error.strerror or 'unknown'}"
        return f"report.md, .html, .csv and .json are in {clean_line(str(folder), 200)}"

    def text_of(self, name: str) -> str:
        try:
            return read_regular(Path(self.path_of(name))).decode("utf-8", "replace")
        except OSError:
            return ""

    def problems_in(self, name: str, text: str) -> tuple[str, ...]:
        try:
            parse_set(text.encode("utf-8", "replace"), f"{name}.toml")
        except SetError as error:
            return error.sentences
        return ()

    def save(self, name: str, text: str) -> str | None:
        try:
            store.save_set(Path(self.path_of(name)), text)
        except SetError as error:
            return error.sentences[0]
        return None

    def path_of(self, name: str) -> str:
        return str(self._folders.sets / f"{name}.toml")

    def new_set(self) -> str:
        name = self._free_name("set")
        store.save_set(Path(self.path_of(name)), starter(name))
        return name

    def set_of(self, prompt: str, settings: GenerationSettings) -> str:
        name = self._free_name("prompt")
        variant: dict[str, object] = {
            "id": "as-asked",
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "top_k": settings.top_k,
            "repeat_penalty": settings.repeat_penalty,
            "thinking": settings.is_thinking,
        }
        if settings.system_prompt:
            variant["system"] = settings.system_prompt
        first: dict[str, object] = {"id": "first", "text": "{{prompt}}"}
        first["max_tokens"] = settings.max_tokens
        table = {
            "title": clean_line(prompt, 60) or "a prompt",
            "prompt": [first],
            "case": [{"id": "first", "values": {"prompt": prompt or "Say something."}}],
            "variant": [variant, {"id": "other", "temperature": 0.0}],
        }
        store.save_set(Path(self.path_of(name)), as_toml(table))
        return name

    def _free_name(self, front: str) -> str:
        taken, number = set(store.set_names(self._folders)), 1
        while f"{front}-{number}" in taken:
            number += 1
        return f"{front}-{number}"

    # Judging --------------------------------------------------------------------------------

    def pairs(self, run_id: str) -> tuple[Sequence[Pair], int]:
        self.open(run_id)
        shown = self.poll()
        if shown is None:
            return (), 1
        every = judging.pairs_of(shown.matrix)
        judged = store.judgements(self._folders, run_id)
        number = judging.present_pass(every, judged)
        follower = self._follower
        seed = 1 if follower is None else follower.run.prompt_set.seed
        return judging.queue(every, judged, number, seed), number

    def keep(self, run_id: str, judgement: Judgement) -> str | None:
        told = msgspec.structs.replace(judgement, utc=runs.utc_now())
        try:
            store.add_judgements(self._folders, run_id, [told])
        except RunError as error:
            return str(error)
        with self._lock:
            if self._open is not None:
                # The next poll counts it.
                self._open = replace(self._open, outcome="")
        return None

    def settings_of(self, variant: str, row: str) -> GenerationSettings | None:
        follower = self._follower
        if follower is None:
            return None
        found: PromptSet = follower.run.prompt_set
        one = next((v for v in found.variants if v.id == variant), None)
        prompt = next((p for p, case in found.rows if found.row_id(p, case) == row), None)
        if one is None or prompt is None:
            return None
        return plan.settings_of(one, prompt, follower.run.base)


def _read(folders: store.LabFolders, run_id: str) -> LabRun | None:
    try:
        return store.read_run(folders, run_id)
    except RunError:
        return None
