"""Log of an answer's chunks: arrival time, length, and whether each can be a token."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Literal

from tui.core.turn.arrivals import BURST_CHUNKS, SINGLE_SHARE, Arrivals, with_spread
from tui.core.turn.gaps import GapQuantiles
from tui.core.turn.pace import Pace

ChunkMeaning = Literal["token", "character", "unknown"]
"""What one chunk of a server's stream is, as its dialect knows it."""

MIN_DECODE_TOKENS = 8
WINDOW_NS = 3_000_000_000
WINDOW_GAPS = 8
MIN_WINDOW_NS = 100_000_000
MOST_TOKENS_A_CHUNK = 1.25
SEVERAL_TOKENS = 1.5
UNEVEN = 8
LEFTOVER_NS, LEFTOVER_FLOOR_NS, LEFTOVER_FACTOR = 20_000_000, 10_000_000, 10
SILENT_NS = 3_000_000_000
SILENT_GAPS = 8
BUFFERED_GAP_NS = 200_000
_CHARS_PER_TOKEN_LIMIT = 12
_LONG_CHUNK_ALLOWANCE = 64
_CHARACTER_CHUNKS = 32
_LETTERS_WEIGHT = 0.4


class ChunkLog:
    """Takes one chunk at O(1). ``t0_ns`` in the questions is when the request was sent."""

    __slots__ = (
        "_arrivals",
        "_bursts",
        "_chars",
        "_meaning",
        "gaps",
        "is_chunk_a_token",
        "pace",
        "stamps_ns",
        "weight",
    )

    def __init__(self, meaning: ChunkMeaning) -> None:
        self._meaning = meaning
        self.stamps_ns: array[int] = array("q")
        """When each chunk arrived; never falls."""
        self.gaps = GapQuantiles()
        self._arrivals = Arrivals()
        self._bursts: tuple[int, Arrivals] | None = None
        """Number of chunks, and what they are grouped in; kept for the next question."""
        self.pace: Pace | None = None
        """None before the first chunk."""
        self._chars = 0
        self.weight = 0.0
        """Tokens by the length of the text: estimated."""
        self.is_chunk_a_token = meaning != "character"
        """False once the chunks cannot be tokens."""

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def add(self, t_ns: int, n_chars: int, estimated_tokens: float) -> int:
        """One chunk. Returns its time, which is that of the chunk before it at least."""
        if self.stamps_ns:
            last_ns = self.stamps_ns[-1]
            if t_ns < last_ns:
                t_ns = last_ns
            self.gaps.add(t_ns - last_ns)
        if self.pace is None:
            self.pace = Pace(t_ns)
        else:
            self.pace.add(t_ns)
        self.stamps_ns.append(t_ns)
        self._arrivals.add(t_ns, estimated_tokens)
        self._chars += n_chars
        self.weight += estimated_tokens
        if self.is_chunk_a_token and not self._is_count_plausible():
            self.is_chunk_a_token = False
        return t_ns

    def _is_count_plausible(self) -> bool:
        """Whether the chunks so far can be tokens.

        More than 12 characters a chunk over a whole answer are not tokens: something joins them.
        One letter in every chunk, on a server that we do not know, are no tokens either; one sign,
        digit or ideograph may well be.
        """
        chunks = len(self.stamps_ns)
        if self._chars > _CHARS_PER_TOKEN_LIMIT * chunks + _LONG_CHUNK_ALLOWANCE:
            return False
        is_in_letters = (
            chunks >= _CHARACTER_CHUNKS
            and self._chars <= chunks
            and self.weight < _LETTERS_WEIGHT * chunks
        )
        return not (self._meaning == "unknown" and is_in_letters)

    @property
    def arrivals(self) -> Arrivals:
        """The chunks by the moment at which they came, whether a burst came at once or one by one.
        Of the latter the groups are made anew, at O(n)."""
        count = len(self.stamps_ns)
        if not count:
            return self._arrivals
        if self._bursts is None or self._bursts[0] != count:
            middle_ns = self.gaps.quantile_ns(0.5)
            self._bursts = count, with_spread(self._arrivals, self.stamps_ns, middle_ns)
        return self._bursts[1]

    # -- the first tokens ----------------------------------------------------------------------

    def n_leftover(self, t0_ns: int) -> int:
        """1 where the first chunk is the end of the answer before: nothing is that fast.

        It came within 20 ms, and the next one after a time that is that of a prefill.
        """
        arrivals = self.arrivals
        if arrivals.first_chunks != 1 or arrivals.second_ns is None:
            return 0
        first_ns, gap_ns = arrivals.first_ns - t0_ns, arrivals.second_ns - arrivals.first_ns
        usual_ns = self.gaps.quantile_ns(0.5) or gap_ns
        is_leftover = (
            len(self.stamps_ns) >= MIN_DECODE_TOKENS
            and first_ns < LEFTOVER_NS
            and gap_ns > LEFTOVER_FACTOR * max(first_ns, LEFTOVER_FLOOR_NS, usual_ns)
        )
        return 1 if is_leftover else 0

    def tokens_of_first_arrival(self, tokens: int) -> float:
        """By its chunks; by the length of its text where chunks are of very different sizes."""
        arrivals = self.arrivals
        share = arrivals.first_chunks / len(self)
        if (self._is_uneven or not self.is_chunk_a_token) and not arrivals.is_spread:
            share = arrivals.first_weight / self.weight if self.weight else share
        return max(tokens * share, 1.0)

    @property
    def is_first_burst(self) -> bool:
        """Whether several tokens came at first, so that the first one is older than they are."""
        arrivals = self.arrivals
        is_piece = not self.is_chunk_a_token and self._meaning != "character"
        return arrivals.is_first_burst or (is_piece and arrivals.first_weight >= BURST_CHUNKS)

    # -- gaps and rates ------------------------------------------------------------------------

    @property
    def _is_uneven(self) -> bool:
        """Whether one chunk is far larger than the others."""
        return self._arrivals.most_weight * len(self) > UNEVEN * self.weight > 0

    def has_token_gaps(self, tokens: int) -> bool:
        """Whether the gaps between chunks are gaps between tokens."""
        if not self.is_chunk_a_token or self.arrivals.count < 2:
            return False
        if len(self) > BURST_CHUNKS and self.arrivals.count < SINGLE_SHARE * len(self):
            return False
        return tokens <= MOST_TOKENS_A_CHUNK * len(self)

    def gap_tps(self, tokens: int) -> float | None:
        """Tokens per second by the usual gap, where chunks came one by one."""
        chunks = len(self)
        if self.arrivals.count < max(SINGLE_SHARE * chunks, MIN_DECODE_TOKENS):
            return None
        if chunks > tokens or not self.is_chunk_a_token or self._is_uneven:
            return None
        gap_ns = self.gaps.quantile_ns(0.5)
        if not gap_ns:
            return None
        by_weight = max(min(tokens, self.weight) / chunks, 1.0)
        return (1.0 if by_weight < SEVERAL_TOKENS else tokens / chunks) * 1e9 / gap_ns

    def rate_now_tps(self, now_ns: int, tokens_per_chunk: float) -> float | None:
        """The rate of the last 3 s, or the last 8 gaps where those took longer; None where it went
        stale."""
        count = len(self)
        if count < 3:
            return None
        last_ns = self.stamps_ns[-1]
        first = min(count - 1 - WINDOW_GAPS, bisect_left(self.stamps_ns, last_ns - WINDOW_NS))
        first = max(first, 0)
        gaps = count - 1 - first
        span_ns = last_ns - self.stamps_ns[first]
        if span_ns < MIN_WINDOW_NS:
            return None
        if now_ns - last_ns > max(WINDOW_NS, 5 * span_ns // gaps):
            return None
        return gaps * tokens_per_chunk * 1e9 / span_ns

    def silent_s(self, now_ns: int) -> float | None:
        """How long nothing has come, if that is more than 3 s and 8 of the answer's own p99."""
        if not self.stamps_ns:
            return None
        silent_ns = now_ns - self.stamps_ns[-1]
        if silent_ns <= SILENT_NS:
            return None
        usual_ns = self.gaps.quantile_ns(0.99) or 0.0
        return silent_ns / 1e9 if silent_ns > SILENT_GAPS * usual_ns else None

    def is_buffered(self, tokens: int) -> bool:
        """Everything that has come came at one moment."""
        if max(tokens, len(self)) < MIN_DECODE_TOKENS:
            return False
        span_ns = self.stamps_ns[-1] - self.stamps_ns[0]
        return self.arrivals.count == 1 or span_ns < len(self) * BUFFERED_GAP_NS
