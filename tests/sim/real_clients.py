"""Programs for the real client libraries, run with them on the path: what they read, as JSON.

``python real_clients.py openai URL`` or ``ollama URL``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

PROMPT = "Say something. [[tokens=12]]"
MESSAGES: Any = [{"role": "user", "content": PROMPT}]


def ask_openai(url: str) -> dict[str, Any]:
    """Lists, a stream, a whole answer, embeddings, an error."""
    import openai

    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    models = [model.id for model in client.models.list()]
    stream = client.chat.completions.create(
        model="qwen3-4b",
        messages=MESSAGES,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    pieces = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    whole = client.chat.completions.create(model="qwen3-4b", messages=MESSAGES, max_tokens=5)
    embedded = client.embeddings.create(model="qwen3-4b", input=["two words", "and three more"])
    try:
        client.chat.completions.create(model="absent", messages=MESSAGES)
        refusal = ""
    except openai.NotFoundError as error:
        refusal = str(error)
    return {
        "models": models,
        "text": "".join(pieces),
        "n_pieces": sum(bool(piece) for piece in pieces),
        "finish": [c.choices[0].finish_reason for c in chunks if c.choices][-1],
        "usage": chunks[-1].usage.completion_tokens if chunks[-1].usage else None,
        "whole": whole.choices[0].message.content,
        "whole_finish": whole.choices[0].finish_reason,
        "vectors": [[round(n, 3) for n in row.embedding] for row in embedded.data],
        "embedded_tokens": embedded.usage.prompt_tokens,
        "refusal": refusal,
    }


def ask_ollama(url: str) -> dict[str, Any]:
    """Lists, a stream, a whole answer that thinks first, an error."""
    import ollama

    client = ollama.Client(host=url)
    parts = list(client.chat(model="qwen3:4b", messages=MESSAGES, stream=True))
    thinking = [{"role": "user", "content": "Think. [[tokens=40]] [[think=6]]"}]
    whole = client.chat(model="qwen3:4b", messages=thinking, think=True, stream=True)
    thought = "".join(part.message.thinking or "" for part in whole)
    generated = client.generate(model="qwen3:4b", prompt=PROMPT, options={"num_predict": 4})
    try:
        client.chat(model="absent", messages=MESSAGES)
        refusal = ""
    except ollama.ResponseError as error:
        refusal = f"{error.status_code} {error.error}"
    return {
        "models": [model.model for model in client.list().models],
        "loaded": [model.model for model in client.ps().models],
        "text": "".join(part.message.content or "" for part in parts),
        "n_pieces": sum(bool(part.message.content) for part in parts),
        "finish": parts[-1].done_reason,
        "usage": parts[-1].eval_count,
        "nanoseconds": parts[-1].eval_duration,
        "thought": thought,
        "generated_finish": generated.done_reason,
        "refusal": refusal,
    }


if __name__ == "__main__":
    ask = {"openai": ask_openai, "ollama": ask_ollama}[sys.argv[1]]
    print(json.dumps(ask(sys.argv[2])))
