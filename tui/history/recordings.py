"""Converts stored answers to recordings, for files and replays.

The history keeps less than a recording does: of the board a few series, of the stream the times of
its chunks and, in newer answers, which words came with which. Where that is missing the words are
spread evenly over the chunks, and those lines say so. The numbers are those that were stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec

from tui import __version__
from tui.core.board.reading import Reading, Snapshot
from tui.core.turn.chunk_log import ChunkMeaning
from tui.core.turn.chunk_words import ChunkEnds
from tui.core.turn.estimate import TOKENS_PER_MESSAGE
from tui.core.turn.runtime_numbers import RuntimeNumbers
from tui.core.types import GenerationSettings, ModelInfo, UsageDelta
from tui.history import reading
from tui.history.board_samples import BoardSample
from tui.history.database import Connection
from tui.history.records import Origin
from tui.history.resuming import no_conversation
from tui.history.transfer import PlainConversation, PlainTurn, plain
from tui.recording import lines
from tui.recording.lines import (
    Accepted,
    BeforePrefill,
    Board,
    Channel,
    ClockIs,
    Counted,
    EndMark,
    Event,
    Failed,
    Finish,
    Lag,
    Numbers,
    RecordedMessage,
    Request,
    Runtime,
    Sent,
    Stopped,
    Token,
    Usage,
    Waiting,
)
from tui.recording.masking import TokenMask
from tui.recording.reading import RecordedAnswer, Recording
from tui.recording.samples import Sample, SampleLines
from tui.recording.scrub import Scrubber

CHUNKS_A_TOKEN = 1.5
"""With more chunks per token than this, chunks are characters."""
_KNOWN = ("runtime", "measured")
_WAITED = "the server was busy"


def recording_of(found: PlainConversation) -> Recording:
    """The answers of a conversation along its branch, in their order."""
    header = lines.Header(version=lines.VERSION, npulse=__version__, is_scrubbed=False)
    return Recording(tuple(_answers(found)), header)


def recorded(connection: Connection, number: int, answer: int | None) -> Recording:
    """One answer of a conversation as a recording; None: its last one. Raises ValueError with one
    sentence."""
    leaf = answer
    if answer is not None:
        turn = reading.turn(connection, answer)
        if turn is None or turn.role != "assistant":
            raise ValueError(
                f"{answer} is not an answer; npulse history show ID lists their numbers"
            )
    found = plain(connection, number, is_tree=False, leaf=leaf)
    if found is None or not found.turns:
        raise ValueError(no_conversation(number))
    if answer is not None and found.turns[-1].id != str(answer):
        raise ValueError(f"conversation {number} has no answer {answer}")
    recording = recording_of(found)
    if not recording.answers:
        raise ValueError(f"conversation {number} has no answer to replay")
    return replace(recording, answers=recording.answers[-1:])


def to_recording(
    conversations: Sequence[PlainConversation],
    scrubber: Scrubber | None = None,
    *,
    has_text: bool = True,
) -> bytes:
    """The same as a file; docs/recording.md. ``scrubber`` None: nothing is masked."""
    header = lines.Header(
        version=lines.VERSION,
        npulse=__version__,
        is_scrubbed=scrubber is not None,
        has_text=has_text,
    )
    mask = TokenMask(scrubber, has_text=has_text)
    rows = [lines.encode(header)]
    for found in conversations:
        for answer in _answers(found):
            for line in (*answer.before, answer.request, *answer.events):
                rows += map(lines.encode, mask.feed(line))
            rows += map(lines.encode, mask.flush())
    return b"".join(rows)


def _answers(found: PlainConversation) -> Iterator[RecordedAnswer]:
    by_id = {turn.id: turn for turn in found.turns}
    start_ms: float | None = None
    end_ms = 0.0
    for turn in found.turns:
        prompt = by_id.get(turn.parent or "")
        if turn.role != "assistant" or prompt is None:
            continue
        start_ms = turn.created_ms if start_ms is None else start_ms
        at_ms = max(turn.created_ms - start_ms, end_ms)
        said = _said_before(turn, by_id)
        answer = _Answer(turn, at_ms)
        events = answer.events()
        end_ms = events[-1].t_ms
        yield RecordedAnswer(answer.request(said), events)


def _said_before(turn: PlainTurn, by_id: Mapping[str, PlainTurn]) -> list[RecordedMessage]:
    said: list[RecordedMessage] = []
    at, seen = by_id.get(turn.parent or ""), {turn.id}
    while at is not None and at.id not in seen:
        seen.add(at.id)
        said.append(RecordedMessage(at.role, at.text))
        at = by_id.get(at.parent or "")
    return said[::-1]


class _Answer:
    """One answer whose request was made ``at_ms`` after the beginning of the recording."""

    def __init__(self, turn: PlainTurn, at_ms: float) -> None:
        self._turn = turn
        self._numbers = turn.numbers or {}
        self._origin = turn.origin or Origin("")
        self._at_ms = min(max(at_ms, 0.0), lines.MAX_MS / 2)
        self._sent_ms = self._at_ms + (self._number("queue_ms") or 0.0)

    def request(self, said: Sequence[RecordedMessage]) -> Request:
        origin, turn = self._origin, self._turn
        settings = turn.settings or GenerationSettings()
        system = [RecordedMessage("system", settings.system_prompt)] if (
            settings.system_prompt
        ) else []  # fmt: skip
        context = self._number("context_tokens")
        return Request(
            t_ms=self._at_ms,
            time=turn.created_ms / 1e3,
            messages=(*system, *said),
            settings=replace(settings, system_prompt=""),
            model=origin.model,
            about=ModelInfo(
                origin.model,
                quantisation=origin.quantisation,
                context_tokens=origin.context_tokens,
                is_loaded=True,
            ),
            chunk_meaning=self._meaning(),
            context_tokens=None if context is None else round(context),
            server=origin.server or "",
            dialect=origin.kind or "",
            is_simulated=origin.is_simulated,
        )

    def events(self) -> tuple[Event, ...]:
        """All events in order, the end last."""
        found = [*self._before(), *self._tokens(), *self._boards()]
        found.sort(key=lambda event: event.t_ms)
        last_ms = max((event.t_ms for event in found), default=self._sent_ms)
        latency_ms = self._number("latency_ms")
        end_ms = last_ms if latency_ms is None else max(self._sent_ms + latency_ms, 0.0)
        end_ms = max(end_ms, max((e.t_ms for e in found if isinstance(e, Token)), default=0.0))
        early = [event for event in found if event.t_ms <= end_ms]
        late = [event for event in found if event.t_ms > end_ms]
        return (*early, *self._ends(end_ms), *late)

    def _before(self) -> Iterator[Event]:
        numbers = self._numbers
        if self._sent_ms > self._at_ms:
            yield Waiting(t_ms=self._at_ms, reason=_WAITED)
        for part in numbers.get("ttft_includes") or ():  # type: ignore[attr-defined]
            if part in ("load", "queue"):
                yield BeforePrefill(t_ms=self._sent_ms, part=part)
        yield Sent(t_ms=self._sent_ms)
        yield ClockIs(t_ms=self._sent_ms, is_kernel=numbers.get("clock") == "kernel")
        headers_ms = self._number("headers_ms")
        if headers_ms is not None or self._turn.times_us:
            yield Accepted(t_ms=self._sent_ms + (headers_ms or 0.0))

    def _meaning(self) -> ChunkMeaning:
        chunks, tokens = len(self._turn.times_us), self._number("tokens_out")
        is_characters = tokens is not None and chunks > CHUNKS_A_TOKEN * tokens
        return "character" if is_characters else "token"

    def _tokens(self) -> Iterator[Event]:
        """A line for each chunk that brought words."""
        turn = self._turn
        if not turn.times_us:
            yield from self._words_without_times()
        ends = turn.ends
        is_known = ends is not None and len(ends.text) == len(turn.times_us)
        pieces = known_pieces(turn, ends) if ends is not None and is_known else self._spread()
        last_ms: float | None = None
        for t_us, (channel, text) in zip(turn.times_us, pieces, strict=False):
            t_ms = max(self._sent_ms + t_us / 1e3, 0.0)
            if text:
                yield Token(
                    t_ms=t_ms,
                    channel=channel,
                    text=text,
                    gap_ms=None if last_ms is None else round(t_ms - last_ms, 3),
                    is_text_estimated=not is_known,
                )
            last_ms = t_ms

    def _spread(self) -> list[tuple[Channel, str]]:
        """The words, evenly over the chunks: thinking first."""
        turn, n_chunks, n_thinking = self._turn, len(self._turn.times_us), 0
        if turn.thinking:
            tokens, thinking = self._number("tokens_out"), self._number("thinking_tokens")
            share = len(turn.thinking) / (len(turn.thinking) + len(turn.text))
            if tokens and thinking is not None:
                share = min(thinking / tokens, 1.0)
            n_thinking = min(max(round(share * n_chunks), 1), n_chunks) if turn.text else n_chunks
        return [
            *_evenly("thinking", turn.thinking, n_thinking),
            *_evenly("answer", turn.text, n_chunks - n_thinking),
        ]

    def _words_without_times(self) -> Iterator[Event]:
        """The times are damaged, or were never known: all words at the end."""
        end_ms = self._sent_ms + (self._number("latency_ms") or 0.0)
        channels: tuple[tuple[Channel, str], ...] = (
            ("thinking", self._turn.thinking),
            ("answer", self._turn.text),
        )
        for channel, text in channels:
            if text:
                yield Token(t_ms=end_ms, channel=channel, text=text, is_text_estimated=True)

    def _boards(self) -> Iterator[Board]:
        made = SampleLines(len(self._turn.board) or 1)
        for sample in self._turn.board:
            t_ns = round(self._sent_ms * 1e6) + sample.t_ns
            wall_s = self._turn.created_ms / 1e3 + sample.t_ns / 1e9
            made.add(Sample(Snapshot(t_ns, wall_s, _readings(sample))))
        for t_ns, board in made.take(is_full=True):
            yield msgspec.structs.replace(board, t_ms=min(max(t_ns / 1e6, 0.0), lines.MAX_MS))

    def _ends(self, t_ms: float) -> Iterator[Event]:
        turn, numbers = self._turn, self._numbers
        lag_ms = self._number("max_lag_ms")
        if lag_ms:
            yield Lag(t_ms=t_ms, lag_ms=lag_ms)
        usage = self._usage()
        if usage != UsageDelta():
            yield Usage(t_ms=t_ms, usage=usage)
        reason = numbers.get("finish")
        if isinstance(reason, str):
            yield Finish(t_ms=t_ms, reason=reason)
        if turn.error is not None:
            yield Failed(
                t_ms=t_ms,
                error=turn.error.kind,
                sentence=turn.error.sentence,
                is_refused=turn.status == "refused",
            )
        else:
            yield Stopped(t_ms=t_ms) if turn.status == "stopped" else EndMark(t_ms=t_ms)
        yield from self._late(t_ms)
        yield Numbers(t_ms=t_ms, status=turn.status, numbers=dict(numbers))

    def _late(self, t_ms: float) -> Iterator[Event]:
        numbers = self._numbers
        tokens, prompt = self._number("tokens_out"), self._number("prompt_tokens")
        if numbers.get("tokens_source") == "tokenizer" and tokens is not None:
            in_prompt = max(round(prompt or 0) - TOKENS_PER_MESSAGE, 0)
            yield Counted(t_ms=t_ms, tokens=round(tokens), prompt=(in_prompt,))
        runtime = numbers.get("runtime")
        if isinstance(runtime, dict):
            try:
                yield Runtime(t_ms=t_ms, numbers=msgspec.convert(runtime, RuntimeNumbers))
            except msgspec.ValidationError:
                return

    def _usage(self) -> UsageDelta:
        """The server's reported numbers, as far as they are stored."""
        numbers = self._numbers
        source: Any = numbers.get("tokens_source")
        is_told = source in _KNOWN
        tokens, rate = self._number("tokens_out"), self._number("runtime_decode_tps")
        prompt, hidden = self._number("prompt_tokens"), self._number("tokens_hidden")
        is_prompt_told = numbers.get("context_source") in _KNOWN
        is_prefill_told = numbers.get("prefill_source") in _KNOWN
        return UsageDelta(
            tokens_in=round(prompt) if prompt is not None and is_prompt_told else None,
            tokens_out=round(tokens) if tokens is not None and is_told else None,
            prefill_ms=self._number("prefill_ms") if is_prefill_told else None,
            decode_ms=tokens * 1e3 / rate if tokens and rate and is_told else None,
            source=source if is_told else "runtime",
            tokens_hidden=None if hidden is None else round(hidden),
        )

    def _number(self, name: str) -> float | None:
        value = self._numbers.get(name)
        is_number = isinstance(value, int | float) and 0 <= value <= lines.MAX_MS / 4
        return float(value) if is_number else None  # type: ignore[arg-type]


def known_pieces(turn: PlainTurn, ends: ChunkEnds) -> list[tuple[Channel, str]]:
    """What each chunk brought. What came after the last chunk (a tag that was none) is with it;
    one that brought nothing of its own (a part of a tag) has a character of the next one, for the
    model spent a token on it."""
    made: list[tuple[Channel, str]] = []
    text_at = thinking_at = 0
    for text_end, thinking_end in zip(ends.text, ends.thinking, strict=True):
        text, thinking = turn.text[text_at:text_end], turn.thinking[thinking_at:thinking_end]
        made.append(("answer", text) if text else ("thinking", thinking))
        text_at, thinking_at = max(text_at, text_end), max(thinking_at, thinking_end)
    if made and turn.text[text_at:]:
        made[-1] = (
            "answer",
            (made[-1][1] if made[-1][0] == "answer" else "") + turn.text[text_at:],
        )
    for at in range(len(made) - 2, -1, -1):
        channel, following = made[at + 1]
        if not made[at][1] and len(following) > 1:
            made[at], made[at + 1] = (channel, following[0]), (channel, following[1:])
    return made


def _evenly(channel: Channel, text: str, n_chunks: int) -> list[tuple[Channel, str]]:
    cuts = [len(text) * n // n_chunks for n in range(n_chunks + 1)] if n_chunks else []
    return [(channel, text[start:end]) for start, end in pairwise(cuts)]


def _readings(sample: BoardSample) -> dict[str, Reading]:
    """The series of a sample (:func:`tui.core.board.history.series_values`) as readings again."""
    found: dict[str, Reading] = {}
    cores: dict[str, list[float | None]] = {"npu.load": [], "cpu.freq": []}
    for name, value in sorted(sample.values.items()):
        group = "npu.load" if name.startswith("npu.load.") else (
            "cpu.freq" if name.startswith("cpu.big.freq.") else None
        )  # fmt: skip
        if group is not None:
            cores[group].append(value)
        elif value is None:
            found[name] = Reading.absent("not kept", _unit(name))
        else:
            found[name] = Reading(value, _unit(name), "the history")
    for name, values in cores.items():
        if values:
            found[name] = Reading(tuple(values), _unit(name), "the history")
    clocks = [clock for clock in cores["cpu.freq"] if clock]
    if clocks:
        # All of them are of big clusters.
        found["cpu.max_freq"] = Reading((max(clocks),) * len(cores["cpu.freq"]), "Hz")
    return found


def _unit(name: str) -> str:
    if "freq" in name:
        return "Hz"
    if name.startswith("ram."):
        return "B"
    return {"temp": "°C", "load": "%"}.get(name.rpartition(".")[2], "")
