"""An answer of any length as one line of JSON, without holding it several times."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.npulse import REPOSITORY, environment
from tests.core.turn.pieces import cut
from tests.core.turn.turns import REQUEST, T0
from tests.servers.raw_server import Wire, raw_server
from tui.commands.answer_json import write_answer
from tui.core.turn.growing_text import without_end_blanks
from tui.core.turn.result import result_of
from tui.core.turn.turn import Turn
from tui.core.types import DoneDelta, FinishDelta, TextDelta, ThinkingDelta

MIB = 1 << 20


def finished(*deltas: TextDelta | ThinkingDelta) -> Turn:
    turn = Turn(REQUEST, T0)
    turn.feed(T0 + 1, [*deltas, FinishDelta("stop"), DoneDelta()])
    return turn


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@given(text=st.text(), thought=st.text())
def test_it_is_the_object_of_the_result(encoding: str, text: str, thought: str) -> None:
    turn = finished(ThinkingDelta(thought), TextDelta(text))
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding, newline="")
    write_answer(turn, T0 + 5, "a server", out)
    line = raw.getvalue().decode(encoding)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    expected = result_of(turn, T0 + 5, "a server").to_json_dict()
    assert json.loads(line) == json.loads(json.dumps(expected))
    assert list(json.loads(line)) == list(expected)


@given(cut(st.text(alphabet=" \n\tab", max_size=30)))
def test_blanks_at_the_end_are_left_out_however_it_is_cut(case: tuple[str, list[str]]) -> None:
    text, pieces = case
    assert "".join(without_end_blanks(pieces)) == text.rstrip()


def peak_bytes(home: Path, piece: str, n_pieces: int, *options: str) -> tuple[int, int]:
    """The most memory that ``npulse ask --json`` took for such an answer, and how much it wrote."""
    event = {"choices": [{"delta": {"content": piece}}]}
    data = b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"

    async def serve(wire: Wire) -> None:
        if wire.asked.method == "GET":
            await wire.json({"data": [{"id": "m"}]})
            return
        await wire.head()
        left = n_pieces
        while left:
            count = min(left, max(1, 65536 // len(data)))
            await wire.part(data * count)
            left -= count
        await wire.done()

    def ask(url: str) -> tuple[int, int]:
        variables = {k: v for k, v in environment(home).items() if v is not None}
        process = subprocess.Popen(
            [sys.executable, "-m", "tui", "ask", "hello", "--url", url, "--json",
             "--max-tokens", "1000000", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=variables, cwd=REPOSITORY,
        )  # fmt: skip
        stdout = process.stdout
        assert stdout is not None
        written = [0]

        def read() -> None:
            while data := stdout.read(1 << 16):
                written[0] += len(data)

        reader = threading.Thread(target=read)
        reader.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        reader.join()
        stdout.close()
        assert process.returncode == 0
        return usage.ru_maxrss * 1024, written[0]

    async def run() -> tuple[int, int]:
        async with raw_server(serve) as server:
            return await asyncio.to_thread(ask, server.url)

    return asyncio.run(run())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("piece", "n_pieces"),
    [("word " * 800, 4_000), ("wörd 語 🚀 " * 100, 6_000), ("word word word word ", 100_000)],
    ids=["16 MB of English", "emoji", "small pieces"],
)
@pytest.mark.parametrize("options", [(), ("--no-store",)], ids=["kept", "not kept"])
def test_an_answer_takes_at_most_three_times_its_text(
    tmp_path: Path, piece: str, n_pieces: int, options: tuple[str, ...]
) -> None:
    empty, _ = peak_bytes(tmp_path, "x", 1, *options)
    most, written = peak_bytes(tmp_path, piece, n_pieces, *options)
    size = len(piece.encode()) * n_pieces
    assert written > size / 2
    assert most - empty <= 3 * size
