"""A recorded answer gives the same numbers again; a damaged file gives what is readable of it."""

from __future__ import annotations

import json
import math
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recording.made import MS, T0, VERSION_1, record, session, snapshot
from tui.core.turn.result import result_of
from tui.core.turn.turn import Turn
from tui.core.types import (
    Delta,
    FailureDelta,
    ModelDelta,
    RefusalDelta,
    TextDelta,
    TurnError,
    UnreadDelta,
)
from tui.recording import lines
from tui.recording.player import Asked, Player
from tui.recording.reading import Recording, RecordingError, parse, read_recording
from tui.recording.samples import Sample
from tui.recording.scrub import Scrubber
from tui.recording.writer import FileExistsAlreadyError


def played(recording: Recording) -> tuple[list[Turn], list[Sample]]:
    """All answers played to their ends, and all samples."""
    turns, samples = [], []
    for happening in Player(recording).play_until(1 << 62):
        if isinstance(happening, Asked):
            turns.append(happening.turn)
        elif isinstance(happening, Sample):
            samples.append(happening)
    return turns, samples


def same(turn: Turn, again: Turn) -> None:
    now_ns = 1 << 60
    assert result_of(again, now_ns) == result_of(turn, now_ns)
    assert again.prompt == turn.prompt
    stats, stats_again = turn.stats(now_ns), again.stats(now_ns)
    for name in stats.__slots__:
        value, found = getattr(stats, name), getattr(stats_again, name)
        assert found == (pytest.approx(value) if isinstance(value, float | tuple) else value), name


def test_a_replayed_answer_has_the_words_and_the_numbers_of_the_recorded_one(
    tmp_path: Path,
) -> None:
    path, said = tmp_path / "a.jsonl", list[str]()
    recording = session(path, said)
    turn = record(recording)
    second = record(recording, t0_ns=T0 + 60_000 * MS, prompt="and why?")
    recording.close()
    assert said == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = read_recording(path)
    assert found.problem is None
    turns, samples = played(found)
    assert len(turns) == 2
    same(turn, turns[0])
    same(second, turns[1])
    assert [s.snapshot.number("soc.temp") for s in samples] == [61.5] * len(samples)
    assert samples[0].snapshot.numbers("npu.load") == (0.0, 70.0, None)
    assert samples[1].snapshot.numbers("npu.load") == (80.0, 70.0, None)
    assert samples[1].snapshot.get("fan.rpm").reason == "no sensor"
    assert samples[1].snapshot.get("npu.load").unit == "%"


@pytest.mark.parametrize(
    "deltas",
    [
        [TextDelta("<th"), TextDelta("ink>a"), TextDelta("</think>b"), TextDelta(" c")],
        [TextDelta("a"), TextDelta("b</think>c")],
        [RefusalDelta("no"), RefusalDelta(" never")],
        [ModelDelta("other"), TextDelta("x\x1b[31m\ud800é"), UnreadDelta("{", is_loss=True)],
        [TextDelta("a"), FailureDelta("the NPU failed")],
    ],
)
def test_every_kind_of_stream_plays_as_it_came(tmp_path: Path, deltas: list[Delta]) -> None:
    recording = session(tmp_path / "a.jsonl", [])
    turn = record(recording, deltas)
    recording.close()
    found = read_recording(tmp_path / "a.jsonl")
    (again,), _ = played(found)
    if "\ud800" not in "".join(getattr(delta, "text", "") for delta in deltas):
        same(turn, again)
    assert again.status == turn.status
    assert again.error == turn.error


def test_stops_failures_and_waits_play_again(tmp_path: Path) -> None:
    recording = session(tmp_path / "a.jsonl", [])
    stopped = record(recording, is_ended=False)
    stopped.stop(T0 + 2_000 * MS)
    failed = record(recording, t0_ns=T0 + 9_000 * MS, is_ended=False)
    failed.note_lag(44.0)
    failed.fail(T0 + 12_000 * MS, TurnError("stalled", "Nothing came for 2 s."))
    recording.close()
    turns, _ = played(read_recording(tmp_path / "a.jsonl"))
    same(stopped, turns[0])
    same(failed, turns[1])


def test_a_recording_without_text_has_no_word_and_the_same_times(tmp_path: Path) -> None:
    recording = session(tmp_path / "a.jsonl", [], has_text=False, scrubber=Scrubber())
    turn = record(recording, prompt="a secret plan")
    recording.close()
    data = (tmp_path / "a.jsonl").read_text()
    assert "secret" not in data
    assert "word" not in data
    (again,), _ = played(read_recording(tmp_path / "a.jsonl"))
    assert list(again.stamps_ns) == [t + again.t0_ns - turn.t0_ns for t in turn.stamps_ns]
    assert len(again.thinking) > 20
    assert len(again.prompt) == len("a secret plan")


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("mine")
    with pytest.raises(FileExistsAlreadyError, match="already exists"):
        session(tmp_path / "a.jsonl", [])
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsAlreadyError):
        session(tmp_path / "link", [])


def test_a_disk_that_takes_nothing_is_told_once(tmp_path: Path) -> None:
    said: list[str] = []
    recording = session(tmp_path / "a.jsonl", said)
    recording._writer._path = Path("/dev/full")  # opened with O_EXCL: an error of the disk
    record(recording)
    recording.close()
    assert len(said) == 1
    assert "incomplete" in said[0]


def test_samples_after_the_end_stop_and_are_full_again_with_the_next_answer(
    tmp_path: Path,
) -> None:
    recording = session(tmp_path / "a.jsonl", [])
    record(recording)
    for number in range(40):
        recording.on_snapshot(Sample(snapshot(T0 + (2_000 + number * 100) * MS, number)))
    record(recording, t0_ns=T0 + 9_000 * MS)
    recording.close()
    found = read_recording(tmp_path / "a.jsonl")
    boards = [event for event in found.answers[0].events if isinstance(event, lines.Board)]
    assert sum(board.is_full for board in boards) == 1  # those before the second answer
    assert len(boards) == 3 + 5 + 10
    assert len(found.answers[0].before) == 1


# Damage ---------------------------------------------------------------------------------------


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_what_was_written_before_a_kill_is_readable(tmp_path: Path) -> None:
    data = VERSION_1.read_bytes()
    at = data.index(b'"kind":"token"', len(data) // 2) + 30
    (tmp_path / "cut").write_bytes(data[:at])
    found = read_recording(tmp_path / "cut")
    n = found.answers[0].tokens
    assert n > 20
    assert found.problem is not None
    assert found.problem.endswith(f"is cut off; the recording stops after token {n}")
    assert found.problem.startswith(f"line {data[:at].count(10) + 1} is cut off")
    (again,), _ = played(found)
    assert again.status == "interrupted"
    assert again.error is not None
    assert f"after token {n}" in again.error.sentence


def test_a_file_that_ends_after_a_whole_line_stops_there_too(tmp_path: Path) -> None:
    rows = lines_of(VERSION_1)
    found = parse(b"".join(rows[:60]), "x")
    assert found.problem is not None
    assert "ends before the answer does: the recording stops after token" in found.problem


def test_a_damaged_line_is_told_by_its_number_and_the_rest_is_kept() -> None:
    rows = lines_of(VERSION_1)
    at, other, *_ = (n for n, row in enumerate(rows) if b'"kind":"token"' in row)
    rows[at] = b"\x00\xff garbage\n"
    rows[other] = b'{"kind":"token","t_ms":-5,"text":"a"}\n'
    found = parse(b"".join(rows), "x.jsonl")
    assert found.problem is not None
    assert found.problem.startswith(f"line {at + 1} cannot be read")
    assert "nor 1 more line" in found.problem
    assert found.answers[0].tokens == 138
    (again,), _ = played(found)
    assert again.status == "complete"


def test_an_answer_whose_first_line_is_damaged_still_plays() -> None:
    rows = lines_of(VERSION_1)
    at = next(n for n, row in enumerate(rows) if b'"request"' in row)
    rows[at] = b'{"kind":"request","t_ms":\n'
    found = parse(b"".join(rows), "x")
    assert found.answers[0].tokens == 140


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"hello\n", "not a recording of npulse: line 1"),
        (b'{"a": 1}\n', "not a recording of npulse"),
        (b"[]\n{}\n", "not a recording of npulse"),
        (b'{"kind":"recording","version":1}\n', "without any answer"),
        (b'{"kind":"recording","version":2}\n', "newer npulse (recording version 2"),
        (b'{"kind":"recording","version":9,"npulse":["other"]}\n', "newer npulse"),
        (b'{"kind":"recording","version":1e400}\n', "not a recording"),
    ],
)
def test_what_is_no_recording_is_refused_in_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(RecordingError) as caught:
        parse(data, "x.jsonl")
    assert said in str(caught.value)
    assert str(caught.value).startswith("x.jsonl")
    assert "\n" not in str(caught.value)


def test_pipes_folders_and_absent_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "nothing"):
        with pytest.raises(RecordingError, match="cannot read"):
            read_recording(path)


def test_kinds_and_keys_of_a_later_npulse_are_skipped() -> None:
    rows = lines_of(VERSION_1)
    rows.insert(5, b'{"kind":"weather","t_ms":1,"sky":"blue"}\n')
    rows[3] = json.dumps({**json.loads(rows[3]), "later": [1]}).encode() + b"\n"
    found = parse(b"".join(rows), "x")
    assert found.problem is None
    assert found.answers[0].tokens == 140


def test_the_first_format_is_opened() -> None:
    found = read_recording(VERSION_1)
    assert found.problem is None
    assert found.header.version == 1
    (turn,), samples = played(found)
    result = result_of(turn, 1 << 60)
    assert (result.status, result.tokens_out, result.clock) == ("complete", 140, "kernel")
    assert result.ttft_ms == pytest.approx(400.25)
    assert result.decode_tps == pytest.approx(30.001)
    assert result.thinking.startswith("\n") is False
    assert "## What the cores do meanwhile" in result.text
    assert samples[-1].snapshot.text("board.model") == "RK3588 OPi 5 Max"
    told = next(e for e in found.answers[0].events if isinstance(e, lines.Numbers))
    assert told.numbers["tokens_out"] == 140


DATA = VERSION_1.read_bytes()


@given(st.binary(max_size=400))
def test_any_bytes_are_a_recording_or_a_sentence(data: bytes) -> None:
    for whole in (data, DATA[:900] + data, data + b"\n" + DATA[:3000]):
        try:
            found = parse(whole, "x")
        except RecordingError:
            continue
        turns, _ = played(found)
        assert all(turn.phase.is_over for turn in turns)


@given(st.integers(0, len(DATA)), st.integers(0, 40), st.binary(max_size=40))
def test_any_damage_anywhere_leaves_what_is_readable(at: int, gone: int, put: bytes) -> None:
    try:
        found = parse(DATA[:at] + put + DATA[at + gone :], "x")
    except RecordingError:
        return
    for turn in played(found)[0]:
        assert turn.phase.is_over
        turn.stats(1 << 60)


KEYS = (
    "t_ms", "time", "tokens", "prompt", "usage", "lag_ms", "waited_ms", "readings", "settings",
    "about", "chars", "text", "context_tokens", "numbers", "version", "gap_ms", "is_kernel",
    "channel",
)  # fmt: skip
COUNTS = ("tokens_in", "tokens_out", "prefill_ms", "decode_ms", "max_tokens", "a")
NUMBER = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.none(), st.booleans(), st.text(max_size=3)
)


@given(
    st.sampled_from(sorted(lines.KINDS)),
    st.dictionaries(
        st.sampled_from(KEYS),
        st.one_of(
            NUMBER,
            st.lists(NUMBER, max_size=3),
            st.dictionaries(
                st.sampled_from(COUNTS),
                NUMBER,
                max_size=4,
            ),
        ),
        max_size=5,
    ),
)
def test_any_numbers_in_a_line_are_played_or_refused(kind: str, values: dict[str, object]) -> None:
    row = json.dumps({"kind": kind, **values}).encode()
    rows = lines_of(VERSION_1)
    rows.insert(30, row + b"\n")
    try:
        found = parse(b"".join(rows), "x")
    except RecordingError:
        return
    turns, samples = played(found)
    for turn in turns:
        assert result_of(turn, 1 << 60).ttft_ms == turn.stats(1 << 60).ttft_ms
    from tui.core.board.history import series_values

    for sample in samples:
        numbers = series_values(sample.snapshot).values()
        assert all(value is None or math.isfinite(value) for value in numbers)
