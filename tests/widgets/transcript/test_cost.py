"""What a token costs, counted in work and not in time: it does not grow with the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import count

import pytest

from tests.widgets.transcript.screen import TranscriptApp, text
from tui.core.text import blocks, wrap
from tui.widgets.transcript import code, turn_list

pytestmark = pytest.mark.slow


TOKENS = 16_384
BATCH = 16
WORDS = ["the", "time", "a", "token", "takes", "is", "size", "divided", "by", "bandwidth"]


def prose(n: int) -> str:
    return WORDS[n % 10] + (".\n\n" if n % 120 == 119 else " ")


def one_paragraph(n: int) -> str:
    return WORDS[n % 10] + " "


def marked_paragraph(n: int) -> str:
    return ("**" if n % 7 == 0 else "`" if n % 11 == 0 else "") + WORDS[n % 10] + " "


def one_list(n: int) -> str:
    return ("- " if n % 12 == 0 else "") + WORDS[n % 10] + ("\n" if n % 12 == 11 else " ")


def one_fence(n: int) -> str:
    return "```python\n" if n == 0 else WORDS[n % 10] + ("()\n" if n % 8 == 7 else " = ")


def one_table(n: int) -> str:
    if n == 0:
        return "| a | b | c |\n|---|---|---|\n"
    return ("| " if n % 3 == 1 else "") + WORDS[n % 10] + (" |\n" if n % 3 == 0 else " | ")


def no_spaces(n: int) -> str:
    return WORDS[n % 10]


def chinese(n: int) -> str:
    return "内存带宽决定解码速度"[n % 10] + ("。\n\n" if n % 200 == 199 else "")


def chinese_line(n: int) -> str:
    return "内存带宽决定解码速度"[n % 10]


def emoji(n: int) -> str:
    return ["👍🏽", "❤\ufe0f", "e\u0301", "🇩🇪", " x ", "👩\u200d👧"][n % 6]


def quote(n: int) -> str:
    return ("> " if n % 12 == 0 else "") + WORDS[n % 10] + ("\n" if n % 12 == 11 else " ")


def brackets(n: int) -> str:
    return "["


def stars(n: int) -> str:
    return "*" if n % 2 else "a"


FRAMES_PER_S = 15
KINDS = [
    prose, one_paragraph, marked_paragraph, one_list, one_fence, one_table, no_spaces, chinese,
    chinese_line, emoji, quote, brackets, stars,
]  # fmt: skip


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts what is done: rows wrapped, characters parsed, lines read and coloured, parts made."""
    counts: Counter[str] = Counter()

    def watch(owner: object, name: str, what: str, amount: Callable[..., int]) -> None:
        real = getattr(owner, name)

        def counted(*args: object, **kwargs: object) -> object:
            counts[what] += amount(*args)
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)

    # Colouring waits for a multiple of the time it took; here it never does, so as to count alike.
    monkeypatch.setattr(code, "COLOURING_SHARE", 0)
    watch(wrap, "next_row_of", "rows wrapped", lambda *_: 1)
    watch(wrap, "next_verbatim_row", "rows wrapped", lambda *_: 1)
    watch(wrap, "grapheme_end", "graphemes", lambda *_: 1)
    watch(blocks.BlockSplitter, "_read", "lines read", lambda *_: 1)
    watch(code, "coloured", "characters coloured", lambda code, _: len(code))
    watch(turn_list.TurnList, "lay_out", "parts visited", lambda *_: 1)
    for module in ("layout", "table"):
        owner = __import__(f"tui.widgets.transcript.{module}", fromlist=["x"])
        watch(owner, "inline_spans", "characters parsed", lambda source, *_: len(source))
    return counts


@pytest.mark.parametrize(
    ("kind", "is_raw"),
    [(kind, False) for kind in KINDS]
    + [(kind, True) for kind in (one_paragraph, one_list, no_spaces, chinese_line)],
)
async def test_the_cost_of_a_token_stays_what_it_is(
    kind: Callable[[int], str], is_raw: bool, work: Counter[str]
) -> None:
    app = TranscriptApp()
    quarters: list[Counter[str]] = []
    async with app.run_test(size=(100, 30)) as pilot:
        view = app.transcript
        if is_raw:
            view.toggle_raw()
        view.begin("q")
        view._turn_list.mode.lexers.is_patient = True
        # How far the view moves up depends on how fast the text comes: here as fast at all times.
        frames_seen = count()
        view.viewport._clock = lambda: next(frames_seen) / FRAMES_PER_S
        await pilot.pause()
        for start in range(0, TOKENS, TOKENS // 4):
            work.clear()
            scrolls, cells, painted = (
                view.viewport.scroll_count,
                view.painter.refreshed_cells,
                view.painter.painted_rows,
            )
            for n in range(start, start + TOKENS // 4, BATCH):
                view.feed(text(*[kind(m) for m in range(n, n + BATCH)]))
                view.render_lines(view.size.region)
            work["scrolls"] = view.viewport.scroll_count - scrolls
            work["cells asked for"] = view.painter.refreshed_cells - cells
            work["rows painted"] = view.painter.painted_rows - painted
            quarters.append(Counter(work))
        view.end("f")
    second, last = quarters[1], quarters[3]
    for what in second:
        assert last[what] <= second[what] * 1.1 + 100, (what, [q[what] for q in quarters])
    frames = TOKENS // 4 // BATCH
    assert last["rows wrapped"] / frames <= 40
    assert last["characters parsed"] / frames <= 2000
    assert last["lines read"] / frames <= BATCH / 2
    assert last["parts visited"] / frames <= 60
    assert last["rows painted"] / frames <= 30


async def test_text_that_has_not_filled_the_view_repaints_only_its_own_row() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(100, 30)) as pilot:
        view = app.transcript
        view.begin("q")
        view.feed(text("some words that stand"))
        await pilot.pause()
        view.render_lines(view.size.region)
        cells, rows, scrolls = (
            view.painter.refreshed_cells,
            view.painter.painted_rows,
            view.viewport.scroll_count,
        )
        view.feed(text(" here"))
        view.render_lines(view.size.region)
        assert view.painter.refreshed_cells - cells == len(" here") + 1
        assert view.painter.painted_rows - rows == 1
        assert view.viewport.scroll_count == scrolls


async def test_fast_text_moves_a_full_view_by_several_rows_at_once() -> None:
    now = 0.0
    app = TranscriptApp()
    app.transcript.viewport._clock = lambda: now
    async with app.run_test(size=(100, 40)):
        view = app.transcript
        view.begin("q")
        for n in range(600):
            now += 1 / 15
            view.feed(text(f"line {n}\n\n"))
        assert view.viewport.scroll_count <= 600 / 2
        assert view.is_following
        view.end("f")
        assert view.painter.line(39).text.strip() == "f"


async def test_slow_text_moves_it_row_by_row() -> None:
    now = 0.0
    app = TranscriptApp()
    app.transcript.viewport._clock = lambda: now
    async with app.run_test(size=(100, 40)):
        view = app.transcript
        view.begin("q")
        for n in range(100):
            now += 2
            view.feed(text(f"line {n}\n\n"))
            if n > 40:
                assert f"line {n}" in view.painter.line(39).text
