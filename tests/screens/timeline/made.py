"""Answers with everything in them, made up here so that every curve and every word is known."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from tui.core.turn.chunk_words import ChunkEnds
from tui.history.board_samples import BoardSample
from tui.history.records import Origin, StoredTurn
from tui.timeline.record import Timeline
from tui.timeline.source import TimelineSource
from tui.timeline.stored import stored_timeline

MS = 1_000_000
S = 1_000 * MS
PROMPT = "why is decode memory-bound?"
THINKING = ["The ", "user ", "asks ", "about ", "decode", ".\n"] * 3
PROSE = (
    "Each new token reads every weight once, so the time per token is close to model size divided"
    " by memory bandwidth: the weights are read for every token, the KV cache grows with the"
    " context and is read as a whole."
)
CODE = "\n\n```python\nfor token in answer:\n    print(token)\n```\n"
CJK = "每个新词都要读一遍全部权重。"
TABLE = "\n| board | tok/s |\n|---|---|\n| Max | 3.14 |\n"
THROTTLED = range(40, 60)
"""The tokens that were written while the board was throttled."""
TOKEN_MS, SLOW_MS, FIRST_MS = 320, 500, 2_500


def pieces(text: str) -> list[str]:
    """Words with the blank before them, each sign that has no blanks by itself."""
    found: list[str] = []
    for char in text:
        is_wide = ord(char) > 0x2E80
        if not found or char in " \n" or is_wide or ord(found[-1][-1]) > 0x2E80:
            found.append(char)
        else:
            found[-1] += char
    return found


def tokens() -> list[tuple[str, str]]:
    """Kind and words of every token."""
    text = pieces(PROSE + CODE + CJK + TABLE)
    return [("thinking", word) for word in THINKING] + [("text", word) for word in text]


def times_ms(count: int) -> list[int]:
    """When each token came, in ms from the request on."""
    found, t_ms = [], FIRST_MS
    for number in range(count):
        found.append(t_ms)
        t_ms += SLOW_MS if number in THROTTLED else TOKEN_MS
    return found


def sample(second: int, *, is_slow: bool) -> BoardSample:
    return BoardSample(
        second * S,
        {
            "npu.load.0": 52.0 if is_slow else 86.0,
            "npu.load.1": 50.0 if is_slow else 84.0,
            "npu.load.2": 40.0 if is_slow else 61.0,
            "npu.freq": 6e8 if is_slow else 1e9,
            "ddr.freq": 2.112e9,
            "ddr.load": 40.0 if is_slow else 62.0,
            "cpu.big.freq.0": 2.256e9,
            "soc.temp": 81.0 if is_slow else 60.0 + second / 2,
            "ram.available": 9.4 * 2**30,
            "throttle.level": 2.0 if is_slow else 0.0,
            "cpu.others": 3.0,
            "psi.memory": 0.0,
        },
    )


def timeline(*, rate: float = 1.0, status: str = "complete") -> Timeline:
    """An answer that thinks, writes prose, code, Chinese and a table, and is throttled once."""
    words = tokens()
    stamps = [round(t_ms * MS / rate) for t_ms in times_ms(len(words))]
    text, thinking = "", ""
    ends = ChunkEnds(array("I"), array("I"))
    for kind, word in words:
        text += word if kind == "text" else ""
        thinking += word if kind == "thinking" else ""
        ends.text.append(len(text))
        ends.thinking.append(len(thinking))
    slow = (stamps[THROTTLED.start], stamps[THROTTLED.stop])
    end_ns = stamps[-1] + 200 * MS
    samples = [sample(n, is_slow=slow[0] <= n * S < slow[1]) for n in range(end_ns // S + 1)]
    answer = StoredTurn(
        7,
        None,
        "assistant",
        1_795_200_000_000,
        text,
        thinking,
        status,  # type: ignore[arg-type]
        origin=Origin("qwen3-4b", is_simulated=True),
        numbers={
            "latency_ms": end_ns / MS,
            "tokens_out": len(words),
            "decode_tps": 3.14 * rate,
            "decode_source": "measured",
        },
    )
    return stored_timeline(PROMPT, answer, stamps, samples, ends)


def sources(*found: Timeline) -> Sequence[TimelineSource]:
    """Those timelines as a screen gets them."""

    def source(number: int, one: Timeline) -> TimelineSource:
        return TimelineSource(f"answer {number}", lambda: one)

    return [source(number, one) for number, one in enumerate(found, 1)]
