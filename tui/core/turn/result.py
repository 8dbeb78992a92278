"""A finished answer: text, numbers and status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tui.core.text.sanitize import clean_line
from tui.core.turn.gaps import GapSummary
from tui.core.turn.runtime_numbers import RuntimeNumbers
from tui.core.types import ArrivalClockName, NumberSource, TtftPart, TurnError, TurnStatus

if TYPE_CHECKING:
    from tui.core.turn.turn import Turn


EndState = Literal["done", "stopped", "error"]


@dataclass(frozen=True, slots=True)
class TurnResult:
    """A finished answer. Field for field the object of ``npulse ask --json``.

    A number whose source is ``unknown`` is None.
    """

    text: str
    thinking: str
    model: str
    server: str | None
    status: TurnStatus
    finish: str | None
    """The server's own word for the end, often wrong; None where it sent none."""
    ttft_ms: float | None
    latency_ms: float | None
    tokens_out: int | None
    tokens_source: NumberSource
    decode_tps: float | None
    decode_source: NumberSource
    prefill_ms: float | None
    prefill_tps: float | None
    prefill_source: NumberSource
    itl_ms: GapSummary
    chunks: int
    clock: ArrivalClockName
    """Who stamped the tokens: the kernel on their arrival, or npulse after reading them."""
    error: TurnError | None
    ttft_source: NumberSource = "unknown"
    """estimated where the first tokens came in a burst: then the first one was made earlier."""
    tokens_hidden: int | None = None
    """Reasoning tokens that the server counted and did not send; not in ``tokens_out``."""
    unread_events: int = 0
    """Events of the stream that could not be understood."""
    unread_text: str | None = None
    """The first of them."""
    note: str | None = None
    """One sentence about an answer that did not fail and is not whole either."""
    ttft_includes: tuple[TtftPart, ...] = ()
    """What ``ttft_ms`` holds beside the prefill."""
    runtime: RuntimeNumbers | None = None
    """The runtime's own numbers from the log of a server on this machine."""
    queue_ms: float | None = None
    """How long the prompt waited for a busy server before it was sent; not in ``ttft_ms``."""

    @property
    def end_state(self) -> EndState:
        """How the answer is shown: as whole, as broken off, or as failed."""
        if self.error is not None:
            return "error"
        return "stopped" if self.status in ("stopped", "interrupted") else "done"

    def to_json_dict(self) -> dict[str, object]:
        """Plain values for a JSON encoder. ``error`` is one sentence or None.

        Times keep a microsecond and rates four digits behind the point.
        """
        return {
            "text": self.text,
            "thinking": self.thinking,
            "model": self.model,
            "server": self.server,
            "status": self.status,
            "finish": self.finish,
            "ttft_ms": _rounded(self.ttft_ms, 3),
            "latency_ms": _rounded(self.latency_ms, 3),
            "tokens_out": self.tokens_out,
            "tokens_source": self.tokens_source,
            "decode_tps": _rounded(self.decode_tps, 4),
            "decode_source": self.decode_source,
            "prefill_ms": _rounded(self.prefill_ms, 3),
            "prefill_tps": _rounded(self.prefill_tps, 4),
            "prefill_source": self.prefill_source,
            "itl_ms": {
                "p50": _rounded(self.itl_ms.p50, 3),
                "p90": _rounded(self.itl_ms.p90, 3),
                "p99": _rounded(self.itl_ms.p99, 3),
                "max": _rounded(self.itl_ms.max, 3),
            },
            "chunks": self.chunks,
            "clock": self.clock,
            "error": None if self.error is None else self.error.sentence,
            "ttft_source": self.ttft_source,
            "tokens_hidden": self.tokens_hidden,
            "unread_events": self.unread_events,
            "unread_text": self.unread_text,
            "note": self.note,
            "ttft_includes": list(self.ttft_includes),
            "runtime": None if self.runtime is None else self.runtime.to_json_dict(),
            "queue_ms": _rounded(self.queue_ms, 3),
        }


NOT_NUMBERS = ("text", "thinking", "model", "server", "status", "error")
"""Keys of :meth:`TurnResult.to_json_dict` that are the answer itself and not its numbers."""


def result_of(
    turn: Turn, now_ns: int, server: str | None = None, *, has_words: bool = True
) -> TurnResult:
    """What is left of ``turn``. One that still runs counts as interrupted (error, if nothing
    came). ``server`` is its name. Without ``has_words`` its texts stay empty: they can be long,
    and :meth:`Turn.parts` has them."""
    stats = turn.stats(now_ns)
    is_unknown = stats.tokens_source == "unknown"
    return TurnResult(
        text=turn.text if has_words else "",
        thinking=turn.thinking if has_words else "",
        model=turn.model,
        server=None if server is None else clean_line(server),
        status=turn.status or ("interrupted" if stats.chunks else "error"),
        finish=turn.finish_reason,
        ttft_ms=stats.ttft_ms,
        latency_ms=stats.latency_ms,
        tokens_out=None if is_unknown else stats.tokens,
        tokens_source=stats.tokens_source,
        decode_tps=stats.decode_tps,
        decode_source=stats.decode_source,
        prefill_ms=stats.prefill_ms,
        prefill_tps=stats.prefill_tps,
        prefill_source=stats.prefill_source,
        itl_ms=GapSummary(stats.itl_p50_ms, stats.itl_p90_ms, stats.itl_p99_ms, stats.itl_max_ms),
        clock=turn.clock,
        chunks=stats.chunks,
        error=turn.error,
        ttft_source=stats.ttft_source,
        tokens_hidden=stats.tokens_hidden,
        unread_events=turn.unread.count,
        unread_text=turn.unread.first,
        note=turn.note,
        ttft_includes=stats.ttft_includes,
        runtime=turn.runtime,
        queue_ms=stats.queue_ms,
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
