"""A request of a result: chosen, opened, read whole, and left again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as changed
from textual.pilot import Pilot

from tests.bench.made import request, run
from tests.bench.runs_of import told
from tests.core.hostile import HOSTILE
from tests.screens.bench.app import BenchApp
from tests.screens.bench.prepared import VIEW, Prepared
from tests.screens.bench.prepared_results import PAST, REQUESTS, RESULT
from tests.screens.bench.test_screens import SIZES, of, settled, top
from tests.waiting import until
from tui.app.replay_backend import ReplayBackend
from tui.bench.model.records import Check, Request
from tui.bench.model.screen import ResultView
from tui.bench.model.suite import parse
from tui.bench.session.requests import opened_request, request_timelines
from tui.bench.session.session import Benchmarks
from tui.bench.store.document import load
from tui.bench.store.request_timeline import MAX_TEXT_CHARS, NO_TIMES
from tui.bench.store.run_files import Loaded
from tui.commands import bench
from tui.core.text.sanitize import is_forbidden
from tui.core.types import GenerationSettings
from tui.recording.player import Asked
from tui.recording.reading import Recording
from tui.screens.bench.page import BenchPage
from tui.screens.bench.request import BenchRequestScreen
from tui.screens.bench.result import BenchResultScreen
from tui.servers.loop import EventLoopThread
from tui.sim.server.spawn import spawn
from tui.timeline.stored import ESTIMATED_WORDS
from tui.widgets.bench.facts import request_facts

SUITE = """
id = "tiny"
title = "Tiny"
shuffle = false
[[prompt]]
id = "first"
name = "First prompt"
text = "one [[tokens=30]]"
max_tokens = 64
[[prompt.check]]
kind = "contains"
texts = ["no answer says this"]
[[prompt]]
id = "second"
name = "Second prompt"
text = "two [[tokens=30]]"
max_tokens = 64
"""


async def read_whole(pilot: Pilot[None]) -> str:
    """Everything on the page, scrolled from its beginning to its end."""
    await pilot.press("home")
    said = await settled(pilot)
    words = pilot.app.screen.query_one("#words")
    while words.scroll_offset.y < words.max_scroll_y:
        await pilot.press("pagedown")
        said += await settled(pilot)
    return said


@pytest.mark.parametrize("size", SIZES)
async def test_a_request_is_chosen_and_opened(size: tuple[int, int]) -> None:
    session = Prepared()
    app = BenchApp(session, opens=False)
    async with app.run_test(size=size) as pilot:
        app.push_screen(BenchResultScreen(app.data, app.glyphs, PAST[0].id))
        assert "Enter requests" in await settled(pilot)
        await pilot.press("enter")
        assert "Enter open the request" in await settled(pilot)
        await pilot.press("down", "down", "up", "down", "down", "enter")
        said = await settled(pilot)
        assert isinstance(top(app), BenchRequestScreen)
        assert of(session, "request") == [("request", PAST[0].id, 2)]
        assert "request 3 of 3" in said
        assert "Left Right other requests" in said
        said = await read_whole(pilot)
        expected = (
            "Python Data Processing Pipeline",
            "timeout idle: no token for 30 s",
            "timing is doubtful (tainted): throttled, clock low",
            "failed checks",
            "line 3: the list is never closed",
            "max 30112 ms; 11 gaps, 1 stall",
            "partial answer",
            "内存带宽",
            "the very end",
            "Write a pipeline.",
        )
        for words in expected:
            assert words in said, words
        assert said.index("line 3") < said.index("p50 317") < said.index("English")
        await pilot.press("right")
        assert "this is the last request" in await settled(pilot)
        await pilot.press("left")
        assert "request 2 of 3" in await settled(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(top(app), BenchResultScreen)
        # The page and the choice are as they were left.
        await pilot.press("enter")
        await settled(pilot)
        assert of(session, "request")[-1] == ("request", PAST[0].id, 2)


async def test_enter_twice_at_once_opens_one_page() -> None:
    app = BenchApp(Prepared(), opens=False)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(BenchResultScreen(app.data, app.glyphs, PAST[0].id))
        await settled(pilot)
        page = app.screen
        assert isinstance(page, BenchResultScreen)
        page.action_open()
        page.action_open()
        page.action_open()
        await pilot.pause()
        await pilot.pause()
        assert [type(one) for one in app.screen_stack[1:]] == [
            BenchResultScreen,
            BenchRequestScreen,
        ]


@pytest.mark.parametrize("size", SIZES)
async def test_the_chosen_request_stays_in_sight(size: tuple[int, int]) -> None:
    many = tuple(changed(REQUESTS[2], name=f"prompt number {at}.") for at in range(60))
    session = Prepared(replace(VIEW, result=result_of(many)))
    app = BenchApp(session, opens=False)
    async with app.run_test(size=size) as pilot:
        app.push_screen(BenchResultScreen(app.data, app.glyphs, PAST[0].id))
        await settled(pilot)
        await pilot.press("enter", *["pagedown"] * 4)
        await settled(pilot)
        said = await settled(pilot)
        assert "prompt number 40." in said
        # Another width has other pages; the requests stay open, the choice too.
        await pilot.resize_terminal(*SIZES[size == SIZES[0]])
        await settled(pilot)
        said = await settled(pilot)
        assert "prompt number 40." in said
        await pilot.press(*["pageup"] * 4)
        await settled(pilot)
        assert "prompt number 0." in await settled(pilot)
        await pilot.click("#word-rows", offset=(30, 3))
        await pilot.click("#word-rows", offset=(30, 3))
        await settled(pilot)
        assert isinstance(top(app), BenchRequestScreen)


def result_of(requests: tuple[Request, ...]) -> ResultView:
    return replace(RESULT, document=changed(RESULT.document, requests=requests))


async def test_a_run_without_requests_opens_none() -> None:
    for result in (None, result_of(())):
        app = BenchApp(Prepared(replace(VIEW, result=result)), opens=False)
        async with app.run_test(size=(80, 24)) as pilot:
            app.push_screen(BenchResultScreen(app.data, app.glyphs, PAST[0].id))
            await settled(pilot)
            await pilot.press("enter", "down", "enter")
            assert "this run has no requests" in await settled(pilot)
            assert isinstance(top(app), BenchResultScreen)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_request_is_clean_whatever_its_texts_hold(text: str) -> None:
    checks = (Check(id=text, passed=False, detail=text), Check(id="b", passed=True))
    document = run([request("a")])
    one = document.requests[0]
    hostile = changed(
        one, name=text, error=text, finish=text, warnings=(text,), checks=checks, why={"x": text}
    )
    key = one.key
    loaded = Loaded(
        changed(document, requests=(hostile,)), texts={key: (text, text)}, prompts={key: text}
    )
    shown = opened_request(loaded, 0)
    assert shown is not None
    assert not {c for c in repr_free(shown) if is_forbidden(c) and c not in "\n\t"}
    assert [check.outcome for check in shown.request.checks] == ["failed", "passed"]
    assert opened_request(loaded, 1) is None
    assert opened_request(loaded, -1) is None


def repr_free(shown: object) -> str:
    """Every string in a record, one after the other."""
    if isinstance(shown, str):
        return shown
    if isinstance(shown, tuple):
        return "".join(map(repr_free, shown))
    if isinstance(shown, dict):
        return "".join(map(repr_free, shown.items()))
    kind = type(shown)
    names = getattr(kind, "__struct_fields__", getattr(kind, "__slots__", ()))
    return "".join(repr_free(getattr(shown, name)) for name in names)


def test_what_is_not_known_has_its_reason_and_a_long_text_its_end() -> None:
    one = request("a", status="error_http")
    one = changed(one, m={}, why={"ttft_client_ms": "no token arrived"}, itl_ms=type(one.itl_ms)())
    loaded = Loaded(run([one]), texts={one.key: ("x" * (MAX_TEXT_CHARS + 7), "")})
    shown = opened_request(loaded, 0)
    assert shown is not None
    values = {fact.label: fact.value for fact in request_facts(shown.request)}
    assert values["TTFT"] == "–  no token arrived"
    assert values["gaps"] == "–"
    assert shown.text.endswith("[7 more characters]")


async def test_enter_on_an_open_request_asks_for_its_timeline() -> None:
    asked = []

    class Listening(BenchApp):
        def on_bench_page_open_timelines(self, event: BenchPage.OpenTimelines) -> None:
            asked.append((event.run_id, event.at))

    app = Listening(Prepared(), opens=False)
    async with app.run_test(size=(120, 40)) as pilot:
        app.push_screen(BenchResultScreen(app.data, app.glyphs, PAST[0].id))
        await settled(pilot)
        await pilot.press("enter", "down", "alt+t")
        assert "Alt+T timeline" in await settled(pilot)
        assert asked == [(PAST[0].id, 1)]
        await pilot.press("enter")
        assert "Enter timeline" in await settled(pilot)
        await pilot.press("right", "enter")
        await settled(pilot)
        assert asked[1:] == [(PAST[0].id, 2)]


@pytest.mark.slow
async def test_the_timeline_of_a_request_lights_the_words_that_were_written_then(
    tmp_path: Path,
) -> None:
    log = tmp_path / "truth.jsonl"
    with spawn(["--speed", "50", "--truth", str(log)]) as board:
        made = await told(parse(SUITE.encode(), "tiny.toml"), tmp_path / "runs", board.url)
    folder = Path(made.finished.folder)
    loaded = load(folder)
    sources = request_timelines(loaded)
    assert [source.label for source in sources] == [
        "First prompt, repetition 1",
        "Second prompt, repetition 1",
    ]
    tokens = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    written = [line["text"] for line in tokens if line["event"] == "token"]
    timeline = sources[1].read()
    assert timeline.words(0, len(timeline.chunks)) == loaded.texts["second", 0][0]
    assert not timeline.notes
    words = [timeline.words(n, n + 1) for n in range(len(timeline.chunks))]
    assert words == written[-len(words) :]
    for at, key in enumerate((("first", 0), ("second", 0))):
        read = sources[at].recording
        assert read is not None
        assert_plays(read(), loaded, key)
    # From the command line the same one.
    given: list[Recording] = []

    def replay(recording: Recording, speed: float, options: object) -> int:
        given.append(recording)
        return round(speed)

    of_runs = ["--folder", str(folder.parent), "--speed", "3"]
    for wanted in ("2", "second"):
        assert bench.main(["replay", folder.name, wanted, *of_runs], replay) == 3
        assert_plays(given[-1], loaded, ("second", 0))
    assert bench.main(["replay", "last", "third", *of_runs], replay) == 2
    # What earlier versions kept opens too, and says what is not known.
    journal = folder / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    for line in lines:
        line.pop("chunk_ends", None)
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert request_timelines(load(folder))[1].read().notes == (ESTIMATED_WORDS,)
    lines = [line for line in lines if line["type"] != "tokens"]
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    with pytest.raises(ValueError, match=NO_TIMES):
        request_timelines(load(folder))[1].read()


def assert_plays(recording: Recording, loaded: Loaded, key: tuple[str, int]) -> None:
    """Played to its end, the answer is the one of the run: words, times and numbers."""
    played = ReplayBackend(recording)
    for happening in played.to_end_of_answer():
        if isinstance(happening, Asked):
            played.begin(happening)
    turn = played.chat.turn
    assert turn is not None
    (request,) = (one for one in loaded.document.requests if one.key == key)
    assert played.headline().is_simulated
    assert turn.prompt == loaded.prompts[key]
    assert turn.text == loaded.texts[key][0]
    stats = turn.stats(played.clock_ns())
    assert turn.status == "complete"
    assert stats.tokens == request.tok.out
    assert stats.ttft_ms == pytest.approx(request.m["ttft_client_ms"], abs=0.01)
    stamps = loaded.stamps[key]
    assert [stamp - turn.stamps_ns[0] for stamp in turn.stamps_ns] == pytest.approx(
        [stamp - stamps[0] for stamp in stamps], abs=2000
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_the_requests_of_a_real_run(tmp_path: Path, size: tuple[int, int]) -> None:
    with spawn(["--speed", "50"]) as board:
        made = await told(parse(SUITE.encode(), "tiny.toml"), tmp_path, board.url)
    folder = Path(made.finished.folder)
    answer = load(folder).texts[("first", 0)][0]
    loop = EventLoopThread()
    loop.start()
    desk = Benchmarks(loop, lambda: None, GenerationSettings, folder=tmp_path)
    app = BenchApp(desk)
    try:
        async with app.run_test(size=size) as pilot:
            await until(lambda: desk.view().past)
            await pilot.press("tab", "enter")
            await until(lambda: desk.view().result is not None)
            await settled(pilot)
            await pilot.press("enter")
            said = await settled(pilot)
            assert "3/4" in said
            await pilot.press("enter")
            await settled(pilot)
            said = await read_whole(pilot)
            assert "First prompt" in said
            assert "failed checks" in said
            assert "no answer says this" in said
            assert "request 1 of 2" in said
            for word in answer.split():
                assert word in said
            await pilot.press("right")
            said = await read_whole(pilot)
            assert "Second prompt" in said
            assert "failed checks" not in said
            assert "two [[tokens=30]]" in said
    finally:
        loop.stop()
