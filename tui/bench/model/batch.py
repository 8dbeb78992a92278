"""Reads a batch, the user's own prompts in a JSONL file, as a suite.

A line is ``{"prompt"}`` (or ``text``), OpenAI's ``{"messages"}``, or a line of OpenAI's Batch API,
``{"custom_id", "method", "url", "body"}``. A key that npulse cannot send and that would change the
kind of answer (tools, n, response_format) is an error. Other keys that are not sent are listed in
the suite's notes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from tui.bench.model.suite import PastMessage, Prompt, Suite, SuiteError
from tui.core.text.sanitize import clean
from tui.files.private import read_regular

DEFAULT_MAX_TOKENS = 512
MAX_PROMPTS = 100_000

URLS = ("/v1/chat/completions", "/v1/completions", "/chat/completions", "/completions")
OWN_KEYS = frozenset(
    (
        "id",
        "custom_id",
        "prompt",
        "text",
        "messages",
        "system",
        "max_tokens",
        "max_completion_tokens",
    )
)
HARMLESS = frozenset(
    ("model", "stream", "stream_options", "user", "metadata", "store", "n", "tools", "tool_choice",
     "functions", "function_call", "response_format", "service_tier", "logprobs", "top_logprobs")
)  # fmt: skip
"""Keys that are checked by name below, or do not change the text of an answer."""
SETTINGS = frozenset(
    ("temperature", "top_p", "top_k", "min_p", "seed", "stop", "presence_penalty", "logit_bias",
     "frequency_penalty", "repeat_penalty", "repetition_penalty", "reasoning_effort",
     "enable_thinking", "chat_template_kwargs")
)  # fmt: skip
"""Settings per request, which are not sent: a run uses the same settings for all requests."""


@dataclass(slots=True)
class _Reading:
    """State while reading a file: ids in use, and how often a key was not sent."""

    shown: str
    max_tokens: int
    taken: set[str] = field(default_factory=set)
    not_sent: Counter[str] = field(default_factory=Counter)


class _LineError(ValueError):
    """A line cannot be used. The message is the reason, without a full stop."""


def load(path: Path, max_tokens: int = DEFAULT_MAX_TOKENS) -> Suite:
    """The suite of a JSONL file. ``max_tokens`` is the limit of lines without one. Raises
    SuiteError, which names the file and the line."""
    shown = clean(path.name, newlines=False)
    try:
        # Only line feeds end a line; splitlines() would also split at U+2028 inside a string.
        lines = read_regular(path).decode("utf-8-sig").split("\n")
    except OSError as error:
        raise SuiteError(f"batch {shown}: {error.strerror or 'cannot be read'}") from None
    except UnicodeDecodeError:
        raise SuiteError(f"batch {shown}: not UTF-8") from None
    reading = _Reading(shown, max_tokens)
    prompts: list[Prompt] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if len(prompts) >= MAX_PROMPTS:
            raise SuiteError(f"batch {shown}: more than {MAX_PROMPTS} prompts")
        try:
            prompts.append(_prompt(line, number, reading))
        except _LineError as error:
            reason = clean(str(error), newlines=False)[:200]
            raise SuiteError(f"batch {shown}, line {number}: {reason}") from None
    if not prompts:
        raise SuiteError(f"batch {shown}: has no prompt")
    return Suite(
        id="batch",
        title=f"Batch {shown}",
        about="The prompts of a JSONL file of your own.",
        kind="batch",
        shuffle=False,
        prompts=tuple(prompts),
        notes=_notes(reading),
    )


def _notes(reading: _Reading) -> tuple[str, ...]:
    return tuple(
        f"batch {reading.shown}: {clean(name, newlines=False)[:40]} of {_lines(count)} not sent; "
        + ("the run's settings apply to all prompts" if name in SETTINGS else "unknown key")
        for name, count in sorted(reading.not_sent.items())
    )


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def _prompt(line: str, number: int, reading: _Reading) -> Prompt:
    entry = _decoded(line)
    request = _request(entry)
    _refuse_what_changes_the_answer(request)
    for name in request:
        if request[name] is not None and (name in SETTINGS or _is_unknown(name, entry)):
            reading.not_sent[name] += 1
    system, history, text = _said(request)
    if not text.strip():
        raise _LineError("no prompt: give prompt, text or messages")
    cap = _cap(request, reading.max_tokens)
    given = _given_id(entry)
    wanted = re.sub(r"[^A-Za-z0-9_-]+", "-", given or f"line-{number:05d}").strip("-")[:60]
    wanted = wanted or f"line-{number:05d}"
    unique = wanted if wanted not in reading.taken else f"{wanted}-{number}"
    reading.taken.add(unique)
    return Prompt(
        id=unique,
        name=clean(given or f"line {number}", newlines=False)[:80],
        text=text,
        system=system,
        history=history,
        max_tokens=cap,
    )


def _decoded(line: str) -> dict[str, Any]:
    try:
        entry = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _LineError(f"not JSON: {error}") from None
    if not isinstance(entry, dict):
        raise _LineError("not a JSON object")
    return entry


def _request(entry: dict[str, Any]) -> dict[str, Any]:
    """The request: the line itself, or the ``body`` of a line of the Batch API."""
    body = entry.get("body")
    if body is None:
        if "method" in entry or "url" in entry:
            raise _LineError("a line with method or url needs a body")
        return entry
    if not isinstance(body, dict):
        raise _LineError("body is not a JSON object")
    method, url = entry.get("method"), entry.get("url")
    if method is not None and method != "POST":
        raise _LineError(f"method {method!r}: only POST is supported")
    if url is not None and (not isinstance(url, str) or url.rstrip("/") not in URLS):
        raise _LineError(f"url {url!r}: only /v1/chat/completions and /v1/completions work")
    return body


def _is_unknown(name: str, entry: Mapping[str, Any]) -> bool:
    """Whether a key of a Batch API body is unknown; a simple line may have any extra keys."""
    return entry.get("body") is not None and name not in OWN_KEYS | HARMLESS


def _refuse_what_changes_the_answer(request: Mapping[str, Any]) -> None:
    if request.get("tools") or request.get("functions"):
        raise _LineError("tools: npulse sends no tools")
    if request.get("n") not in (None, 1):
        raise _LineError("n: npulse asks for one answer per prompt")
    form = request.get("response_format")
    if form is not None and form != {"type": "text"}:
        raise _LineError("response_format: npulse cannot ask for a format")


def _cap(request: Mapping[str, Any], default: int) -> int:
    for name in ("max_tokens", "max_completion_tokens"):
        value = request.get(name)
        if value is None:
            continue
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # pandas writes an integer column with nulls as floats
        if isinstance(value, bool) or not isinstance(value, int):
            raise _LineError(f"{name} must be a whole number")
        if value < 1:
            raise _LineError(f"{name} must be at least 1")
        return value
    return default


def _given_id(entry: Mapping[str, Any]) -> str:
    for name in ("id", "custom_id"):
        value = entry.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
        if value is not None:
            raise _LineError(f"{name} must be text or a number")
    return ""


def _said(request: Mapping[str, Any]) -> tuple[str, tuple[PastMessage, ...], str]:
    """(system prompt, earlier messages, the user's last message)."""
    system = _words(request.get("system"), "system")
    messages = request.get("messages")
    if messages is None:
        text = _words(request.get("prompt"), "prompt") or _words(request.get("text"), "text")
        return system, (), text
    if not isinstance(messages, list):
        raise _LineError("messages must be a list")
    systems = [system] if system else []
    said: list[PastMessage] = []
    for message in messages:
        if not isinstance(message, dict):
            raise _LineError("a message must be an object with role and content")
        role = _role(message)
        words = _words(message.get("content"), "content")
        if role == "system":
            systems += [words] if words else []
        elif words:
            said.append(PastMessage(role=role, content=words))
    if said and said[-1].role != "user":
        raise _LineError("the last message must be the user's")
    *history, last = said or [PastMessage(role="user", content="")]
    return "\n".join(systems), tuple(history), last.content


def _role(message: Mapping[str, Any]) -> Literal["system", "user", "assistant"]:
    role = message.get("role")
    if role in ("system", "developer"):
        return "system"
    if role == "user":
        return "user"
    if role == "assistant":
        if message.get("tool_calls") or message.get("function_call"):
            raise _LineError("tool_calls: npulse sends no tools")
        return "assistant"
    raise _LineError(f"role {role!r}: only system, developer, user and assistant can be sent")


def _words(value: object, name: str) -> str:
    """The text of a field: a string, or a list of text parts joined; empty for null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise _LineError(f"{name} must be text")
    parts = []
    for part in value:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            parts.append(part["text"])
        elif isinstance(part, dict):
            raise _LineError(f"{name}: a part of type {part.get('type')!r} cannot be sent")
        else:
            raise _LineError(f"{name} must be one text: put each prompt on a line of its own")
    return "".join(parts)
