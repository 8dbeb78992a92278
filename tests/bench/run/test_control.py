"""A run that is paused, skipped, ended and gone on with, against the simulated board."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.runs_of import suite_of, told
from tui.bench.model.events import (
    Event,
    Progressed,
    RequestEnded,
    RequestStarted,
    StageChanged,
)
from tui.bench.report import render
from tui.bench.store import resume
from tui.bench.store.controls import Controls, tell
from tui.bench.store.runs import RunError
from tui.sim.server.spawn import Simulator, spawn

pytestmark = pytest.mark.slow


async def test_skip_ends_one_request_and_keeps_what_it_had(sim: Simulator, tmp_path: Path) -> None:
    controls = Controls()

    def on_event(event: Event) -> None:
        is_long = isinstance(event, Progressed) and event.id == "a" and event.tokens > 10
        if is_long and not skipped:
            skipped.append(True)
            controls.skip()

    skipped: list[bool] = []
    suite = suite_of("long [[tokens=100]]", "short", cap=100)
    found = await told(suite, tmp_path, sim.url, controls=controls, on_event=on_event)
    first = found.one("a")
    assert (first.status, first.error) == ("cancelled", "skipped")
    assert 10 < (first.tok.out or 0) < 100
    assert found.one("b").is_scored


async def test_pause_holds_the_next_prompt(sim: Simulator, tmp_path: Path) -> None:
    controls = Controls()
    stages: list[str] = []

    def on_event(event: Event) -> None:
        if isinstance(event, RequestEnded) and event.request.id == "a":
            controls.pause()
        if isinstance(event, StageChanged):
            stages.append(event.stage)
            if event.stage == "paused":
                controls.resume()

    found = await told(
        suite_of("one", "two"), tmp_path, sim.url, controls=controls, on_event=on_event
    )
    assert "paused" in stages
    assert found.statuses == ["capped", "capped"]


async def test_abort_keeps_and_resume_goes_on(sim: Simulator, tmp_path: Path) -> None:
    controls = Controls()

    def on_event(event: Event) -> None:
        if isinstance(event, RequestEnded) and event.request.id == "b":
            controls.abort()

    suite = suite_of("one", "two", "three", "four")
    ended = await told(suite, tmp_path, sim.url, controls=controls, on_event=on_event)
    assert ended.finished.outcome == "aborted"
    assert [r.id for r in ended.requests if r.is_scored] == ["a", "b"]
    assert ended.loaded is not None
    assert "PARTIAL 2/4" in render.as_markdown(ended.loaded)

    before = resume.earlier(Path(ended.finished.folder))
    again = await told(before.suite, tmp_path, sim.url, resume=before)
    assert again.finished.outcome == "complete"
    assert again.finished.folder == ended.finished.folder
    asked = [e.id for e in again.all(RequestStarted) if not e.is_warmup]
    assert asked == ["c", "d"]
    assert again.statuses == ["capped"] * 4
    assert again.requests[:2] == ended.requests[:2]
    assert again.loaded is not None
    assert [s.ended for s in again.loaded.document.run.segments] == ["aborted", "complete"]
    with pytest.raises(RunError, match="complete"):
        resume.earlier(Path(ended.finished.folder))


async def test_resume_refuses_when_the_model_has_changed(tmp_path: Path) -> None:
    controls = Controls()

    def on_event(event: Event) -> None:
        if isinstance(event, RequestEnded) and event.request.id == "a":
            controls.abort()

    with spawn(["--speed", "40"]) as one:
        ended = await told(
            suite_of("one", "two"), tmp_path, one.url, controls=controls, on_event=on_event
        )
    before = resume.earlier(Path(ended.finished.folder))
    with spawn(["--speed", "40", "--profile", "qwen3-0.6b"]) as other:
        found = await told(before.suite, tmp_path, other.url, resume=before)
        assert found.finished.outcome == "refused"
        assert "model was qwen3-4b and is qwen3-0.6b" in found.finished.sentence
    journal = Path(ended.finished.folder) / "journal.jsonl"
    text = journal.read_text().replace('"top_p":0.95', '"top_p":0.5')
    journal.write_text(text)
    with spawn(["--speed", "40"]) as same:
        before = resume.earlier(Path(ended.finished.folder))
        found = await told(before.suite, tmp_path, same.url, resume=before)
        assert "sampling top_p was 0.5 and is 0.95" in found.finished.sentence


async def test_a_budget_skips_what_is_not_begun(sim: Simulator, tmp_path: Path) -> None:
    suite = suite_of(*(f"{at} [[tokens=60]]" for at in range(6)), cap=60)
    found = await told(suite, tmp_path, sim.url, max_time_s=1.2)
    assert found.statuses[0] == "capped"
    assert found.statuses[-1] == "skipped_budget"
    assert "cancelled" not in found.statuses
    assert found.loaded is not None
    assert found.loaded.document.totals["success_pct"].value == 100
    assert found.finished.outcome == "incomplete"


async def test_words_from_another_process(sim: Simulator, tmp_path: Path) -> None:
    def on_event(event: Event) -> None:
        if isinstance(event, RequestStarted) and event.id == "a":
            folder = next(tmp_path.glob("2*"))
            tell(folder, "abort")

    suite = suite_of("long [[tokens=200]]", "next", cap=200)
    found = await told(suite, tmp_path, sim.url, on_event=on_event)
    assert found.finished.outcome == "aborted"
    assert found.one("a").status == "cancelled"
