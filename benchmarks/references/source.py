"""The stream that every reference shows: httpx, server-sent events, one piece of text a chunk."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Source:
    """Server and model."""

    url: str
    model: str


def source_argument() -> Source:
    """The server and the model from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--model", required=True)
    options = parser.parse_args()
    return Source(options.url, options.model)


async def pieces(source: Source, prompt: str, max_tokens: int = 100_000) -> AsyncIterator[str]:
    """The text of the answer, piece by piece. Raises httpx.HTTPError."""
    async with httpx.AsyncClient(
        base_url=source.url, timeout=httpx.Timeout(5, read=None)
    ) as client:
        request = {
            "model": source.model,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": max_tokens,
            "stream": True,
        }
        async with client.stream("POST", "/v1/chat/completions", json=request) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if not line.startswith("data: ") or line == "data: [DONE]":
                    continue
                for choice in json.loads(line[6:])["choices"]:
                    if text := choice["delta"].get("content"):
                        yield text
