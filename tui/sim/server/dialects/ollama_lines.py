"""Ollama's streaming format, which several servers have: one JSON object per line (NDJSON)."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from tui.sim.runtime.runtime import Job, Outcome
from tui.sim.server.http import Response, json_response
from tui.sim.server.wire import ERROR_TEXT, Wire

NDJSON = b"application/x-ndjson"


def now() -> str:
    """The present time (UTC) as these routes write it."""
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


class LinesWire(Wire):
    """An answer of ``/api/chat`` or ``/api/generate``."""

    opens = "with the first token"
    headers = [(b"Content-Type", NDJSON)]
    comment = b"\n"

    def __init__(self, job: Job, model: str, *, is_chat: bool) -> None:
        super().__init__(job)
        self._model = model
        self._is_chat = is_chat

    def line(self, content: dict[str, Any], **more: Any) -> bytes:
        return json.dumps(self.object(content, **more), ensure_ascii=False).encode() + b"\n"

    def object(self, content: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The object of one line. ``content`` has the key ``content``, and maybe ``thinking``."""
        part: dict[str, Any]
        if self._is_chat:
            part = {"message": {"role": "assistant", **content}}
        else:
            part = {"response": content.get("content", "")}
        return {"model": self._model, "created_at": now(), **part, "done": False, **more}

    def empty(self) -> list[bytes]:
        return [self.line({"content": content}) for content in (None, "")]

    def token(self, text: str) -> list[bytes]:
        return [self.line({"content": text})]

    def numbers(self, outcome: Outcome) -> dict[str, Any]:
        """Counts, and times in ns; in ms with the fault ``other-unit``."""
        if self.job.faults.no_stats:
            return {}
        stats = outcome.stats
        unit = 1_000_000 if self.job.faults.other_unit else 1
        return {
            "total_duration": outcome.end_ns - self.job.t_ns,
            "load_duration": 41_000_000,
            "prompt_eval_count": stats.prefill_tokens,
            "prompt_eval_duration": stats.prefill_ns // unit,
            "eval_count": stats.generated_tokens,
            "eval_duration": stats.generate_ns // unit,
        }

    def reason(self, outcome: Outcome) -> str:
        return "length" if outcome.reason in ("max_tokens", "context") else "stop"

    def ending(self, outcome: Outcome) -> list[bytes]:
        more = {"done": True, "done_reason": self.reason(outcome), **self.numbers(outcome)}
        return [self.line({"content": ""}, **more)]

    def failure(self) -> tuple[list[bytes], bool]:
        return [json.dumps({"error": ERROR_TEXT}).encode() + b"\n"], True

    def whole(self, outcome: Outcome) -> Response:
        more = {"done": True, "done_reason": self.reason(outcome), **self.numbers(outcome)}
        return json_response(self.object({"content": outcome.text}, **more))
