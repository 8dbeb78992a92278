"""Streams as servers send them, made for tests."""

from __future__ import annotations

import json

ANSWER = (
    "The RK3588 has a neural processing unit with three cores. "
    "On this board a four billion parameter"
)


def sse(*chunks: object, end: bytes = b"data: [DONE]\n\n") -> bytes:
    lines = (f"data: {c if isinstance(c, str) else json.dumps(c)}\n\n" for c in chunks)
    return "".join(lines).encode() + end


def chunk(content: object = None, reason: object = None, **delta: object) -> dict[str, object]:
    if content is not None:
        delta["content"] = content
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}], "usage": None}
