"""Finding tokens on a replayed screen: right times, whatever the screen does with the text."""

from __future__ import annotations

import random
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.truth import TrueAnswer
from benchmarks.visibility import AnswerView, fold, frames, left_of_panels, replay
from tests.terminal.pty_terminal import Chunk
from tests.terminal.screen import TerminalScreen

pytestmark = pytest.mark.slow


MS = 1_000_000
COLS, ROWS = 60, 12


def words(count: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ["".join(rng.choices(letters, k=rng.randint(2, 8))) + " " for _ in range(count)]


def answer_of(texts: list[str], gap_ms: int = 10) -> TrueAnswer:
    return TrueAnswer(0, None, [(n + 1) * gap_ms * MS for n in range(len(texts))], texts, None)


def painted(text: str, panel: str = "") -> bytes:
    """The end of a wrapped text, as a full repaint with a panel at the right."""
    width = 40 if panel else COLS
    rows = [row for line in text.split("\n") for row in textwrap.wrap(line, width - 1) or [""]]
    out = b""
    for n, row in enumerate(rows[-ROWS:]):
        side = f"│{panel} {n}" if panel else ""
        out += f"\x1b[{n + 1};1H\x1b[38;2;1;2;3m{row.ljust(width)}{side.ljust(20)}\x1b[0m".encode()
    return out


def chunks_of(texts: list[str], every: int, lag_ms: float, **paint: str) -> list[Chunk]:
    """A frame for every so many tokens, so long after the last of them."""
    found = []
    for n in range(every, len(texts) + every, every):
        shown = min(n, len(texts))
        t_ns = int((shown * 10 + lag_ms) * MS)
        data = painted("".join(texts[:shown]), **paint)
        found += [Chunk(t_ns, data[:500]), Chunk(t_ns + 1, data[500:])]
    return found


@pytest.mark.parametrize("panel", ["", "speed tokens load"])
def test_every_token_is_found_with_its_lag(panel: str) -> None:
    texts = words(300)
    screen = TerminalScreen(COLS, ROWS)
    right = None
    if panel:
        screen.feed(painted("\n" * ROWS, panel=panel))
        right = left_of_panels(screen)
        assert right == 40
    found = replay(screen, chunks_of(texts, 1, 7, panel=panel), answer_of(texts), right)
    assert found.unseen == 0
    assert len(found.lags_ms) >= 297  # the first letters are too few to be told apart
    assert set(found.lags_ms) == {7.000001}


def test_tokens_that_share_a_frame_have_waited_for_it() -> None:
    texts = words(200)
    found = replay(TerminalScreen(COLS, ROWS), chunks_of(texts, 5, 3), answer_of(texts))
    assert {round(lag) for lag in found.lags_ms} == {3, 13, 23, 33, 43}


def test_a_screen_that_skips_more_than_it_shows_is_found_again() -> None:
    texts = words(1200)
    found = replay(TerminalScreen(COLS, ROWS), chunks_of(texts, 400, 2), answer_of(texts))
    assert found.unseen == 0
    assert 60 < len(found.lags_ms) < 700  # what was never on the screen has no lag
    assert min(found.lags_ms) < 10


def test_what_a_renderer_hides_does_not_stop_the_search() -> None:
    texts = [*words(40), "```", "python", "\n", *words(40, seed=2)]
    shown = [text if text not in ("```", "python") else "" for text in texts]
    found = replay(TerminalScreen(COLS, ROWS), chunks_of(shown, 1, 4), answer_of(texts))
    assert found.unseen == 0
    late = [lag for lag in found.lags_ms if lag > 5]
    assert len(found.lags_ms) > 70
    assert len(late) < 6  # the first letters behind the gap


def test_tokens_that_never_come_count_with_the_time_until_the_end() -> None:
    texts = words(100)
    chunks = [*chunks_of(texts[:50], 1, 1), Chunk(5_000 * MS, b"\x1b[H")]
    found = replay(TerminalScreen(COLS, ROWS), chunks, answer_of(texts))
    assert found.unseen == 50
    assert max(found.lags_ms) == pytest.approx(5_000 - 510)


def test_nothing_is_seen_before_it_was_sent() -> None:
    texts = ["again and "] * 100
    whole = Chunk(500 * MS, painted("".join(texts)))
    found = replay(TerminalScreen(COLS, ROWS), [whole], answer_of(texts))
    assert min(found.lags_ms) >= 0
    assert found.unseen == 50


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=12), max_size=40), st.lists(st.binary(max_size=80), max_size=20))
def test_any_screen_and_any_text_are_survived(texts: list[str], screens: list[bytes]) -> None:
    view = AnswerView(answer_of(texts))
    screen = TerminalScreen(20, 5)
    for n, data in enumerate(screens):
        screen.feed(data)
        view.look(n * 20 * MS, screen)
    assert len(view.seen_ns) == len(texts)


def test_fold_keeps_letters_of_every_script() -> None:
    assert fold("**Größe** e\u0301 _x_ 喝茶。👍 | 3.14") == fold("Gro\u0308ße é x 喝茶 3 14")


def test_reads_close_together_are_one_frame() -> None:
    reads = [Chunk(0, b"a"), Chunk(1 * MS, b"b"), Chunk(9 * MS, b"c")]
    assert list(frames(reads)) == [(1 * MS, b"ab"), (9 * MS, b"c")]
