"""rkllama's two streaming formats, with its defects."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tui.sim.runtime.runtime import Job, Outcome, Stats
from tui.sim.server.dialects.dialect import flask_json
from tui.sim.server.dialects.ollama_lines import LinesWire
from tui.sim.server.http import Response
from tui.sim.server.wire import ERROR_TEXT, ChunkWire

TASK_ERROR = "<RKLLM_TASK_ERROR>"


class Leftovers:
    """State shared by all answers: a token that was not sent, and the last statistics."""

    def __init__(self) -> None:
        self.text = ""
        self.stats = Stats()


class _Replayed:
    """The defects that both formats have."""

    def __init__(self, job: Job, leftovers: Leftovers) -> None:
        self.job = job
        self._leftovers = leftovers
        self._pieces: list[str] = []
        self._n_tokens = 0

    def opening(self) -> str:
        text, self._leftovers.text = self._leftovers.text, ""
        return text

    def token(self, text: str) -> str:
        self._n_tokens += 1
        if self._n_tokens in (self.job.max_tokens, self.job.faults.npu_error):
            self._leftovers.text = text
            return ""
        self._pieces.append(text)
        return text

    def replayed(self) -> list[str]:
        text = "".join(self._pieces)
        return self._pieces if "<think>" in text and "</think>" not in text else []

    def stats(self, outcome: Outcome) -> Stats:
        """The statistics to report: of the previous answer if the runtime failed."""
        if outcome.reason not in ("error", "npu_error"):
            self._leftovers.stats = outcome.stats
        return self._leftovers.stats


class Chunks(ChunkWire):
    opens = "with the first token"

    def __init__(
        self, job: Job, model: str, make_id: Callable[[], str], leftovers: Leftovers
    ) -> None:
        super().__init__(job)
        self._model = model
        self._make_id = make_id
        self._defects = _Replayed(job, leftovers)

    def _envelope(self) -> dict[str, Any]:
        return {
            "id": self._make_id(),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": self._model,
        }

    def chunk(self, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
        delta = {**delta, "role": "assistant"}
        return {
            **self._envelope(),
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        }

    def _text(self, text: str) -> list[bytes]:
        return [self.event(self.chunk({"content": text}, None))] if text else []

    def opening(self) -> list[bytes]:
        return self._text(self._defects.opening())

    def token(self, text: str) -> list[bytes]:
        return self._text(self._defects.token(text))

    def replay(self, outcome: Outcome) -> list[bytes]:
        return [event for text in self._defects.replayed() for event in self._text(text)]

    def _usage(self, outcome: Outcome) -> dict[str, Any]:
        stats = self._defects.stats(outcome)
        n_in, n_out = stats.prefill_tokens, stats.generated_tokens
        # The server's defect: milliseconds, divided as if they were nanoseconds.
        unit_ns = 1 if self.job.faults.other_unit else 1_000_000
        eval_s = stats.generate_ns // unit_ns / 1e9
        return {
            "prompt_tokens": n_in,
            "completion_tokens": n_out,
            "total_tokens": n_in + n_out,
            "tokens_per_second": round(n_out / eval_s, 2) if eval_s else 0,
            "prompt_eval_duration": round(stats.prefill_ns // unit_ns / 1e9, 4),
            "eval_duration": round(eval_s, 4),
            "total_duration": round((outcome.end_ns - self.job.t_ns) / 1e9, 4),
            "load_duration": 0.1,
        }

    def ending(self, outcome: Outcome) -> list[bytes]:
        last = self.chunk({"content": ""}, "stop")
        events = [self.event(last)]
        if not self.job.faults.no_stats:
            usage = {**last, "choices": [], "usage": self._usage(outcome)}
            events.append(self.event(usage))
        return events

    def failure(self) -> tuple[list[bytes], bool]:
        return self._text(TASK_ERROR), False

    def whole(self, outcome: Outcome) -> Response:
        message = {"role": "assistant", "content": outcome.text}
        return flask_json(
            {
                **self._envelope(),
                "object": "chat.completion",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": self._usage(outcome),
            }
        )

    def whole_failure(self) -> Response:
        return flask_json({"error": ERROR_TEXT}, 500)


class Lines(LinesWire):
    """Answers of the Ollama routes: milliseconds in fields for nanoseconds."""

    def __init__(self, job: Job, model: str, leftovers: Leftovers, *, is_chat: bool) -> None:
        super().__init__(job, model, is_chat=is_chat)
        self._defects = _Replayed(job, leftovers)
        self._is_first = True

    def _text(self, text: str) -> list[bytes]:
        return [self.line({"content": text})] if text else []

    def opening(self) -> list[bytes]:
        return self._text(self._defects.opening())

    def token(self, text: str) -> list[bytes]:
        is_forced = self._is_first and self.job.is_thinking and "<think>" not in text
        self._is_first = False
        return self._text(self._defects.token(f"<think>{text}" if is_forced else text))

    def replay(self, outcome: Outcome) -> list[bytes]:
        return [event for text in self._defects.replayed() for event in self._text(text)]

    def numbers(self, outcome: Outcome) -> dict[str, Any]:
        stats = self._defects.stats(outcome)
        unit_ns = 1 if self.job.faults.other_unit else 1_000_000
        return {
            "total_duration": outcome.end_ns - self.job.t_ns,
            "load_duration": 100_000_000,
            "prompt_eval_count": stats.prefill_tokens,
            "prompt_eval_duration": stats.prefill_ns // unit_ns,
            "eval_count": stats.generated_tokens,
            "eval_duration": stats.generate_ns // unit_ns,
        }

    def reason(self, outcome: Outcome) -> str:
        return "stop"

    def failure(self) -> tuple[list[bytes], bool]:
        return self._text(TASK_ERROR), False
