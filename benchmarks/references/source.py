"""The stream that every reference shows: httpx, server-sent events, one piece of text a chunk."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator

import httpx


def url_argument() -> str:
    """The server's address from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    return str(parser.parse_args().url)


async def pieces(url: str, prompt: str, max_tokens: int = 16_384) -> AsyncIterator[str]:
    """The text of the answer, piece by piece. Raises httpx.HTTPError."""
    async with httpx.AsyncClient(base_url=url, timeout=httpx.Timeout(5, read=None)) as client:
        models = (await client.get("/v1/models")).json()["data"]
        request = {
            "model": models[0]["id"],
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
