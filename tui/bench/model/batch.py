"""A batch of the user's own prompts: one JSON object per line becomes a suite."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from tui.bench.model.suite import Prompt, Suite, SuiteError
from tui.core.text.sanitize import clean

DEFAULT_MAX_TOKENS = 512
MAX_PROMPTS = 100_000


class _Message(msgspec.Struct):
    role: str
    content: str


class _Line(msgspec.Struct):
    """One line: ``prompt`` (or ``text``), or OpenAI ``messages``. Unknown keys are ignored."""

    id: str | int | None = None
    custom_id: str | None = None
    prompt: str | None = None
    text: str | None = None
    messages: list[_Message] | None = None
    system: str = ""
    max_tokens: int | None = None


def load(path: Path, max_tokens: int = DEFAULT_MAX_TOKENS) -> Suite:
    """The suite of a JSONL file. Raises SuiteError that names the file and the line."""
    shown = clean(path.name, newlines=False)
    try:
        # Only line feeds end a line: JSON may hold U+2028 and its like as they are.
        lines = path.read_text("utf-8-sig").split("\n")
    except OSError as error:
        raise SuiteError(f"batch {shown}: {error.strerror or 'cannot be read'}") from None
    except UnicodeDecodeError:
        raise SuiteError(f"batch {shown}: not UTF-8") from None
    prompts: list[Prompt] = []
    taken: set[str] = set()
    for number, line in enumerate(lines, 1):
        if line.strip():
            prompt = _prompt(line, number, shown, max_tokens, taken)
            taken.add(prompt.id)
            prompts.append(prompt)
    if not prompts:
        raise SuiteError(f"batch {shown}: has no prompt")
    if len(prompts) > MAX_PROMPTS:
        raise SuiteError(f"batch {shown}: more than {MAX_PROMPTS} prompts")
    return Suite(
        id="batch",
        title=f"Batch {shown}",
        about="The prompts of a JSONL file of your own.",
        kind="batch",
        shuffle=False,
        prompts=tuple(prompts),
    )


def _prompt(line: str, number: int, shown: str, max_tokens: int, taken: set[str]) -> Prompt:
    try:
        entry = msgspec.json.decode(line, type=_Line)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError) as error:
        reason = clean(str(error), newlines=False)
        raise SuiteError(f"batch {shown}, line {number}: {reason}") from None
    text, system = _text(entry)
    if not text.strip():
        raise SuiteError(f"batch {shown}, line {number}: no prompt")
    cap = max_tokens if entry.max_tokens is None else entry.max_tokens
    if cap < 1:
        raise SuiteError(f"batch {shown}, line {number}: max_tokens is at least 1")
    given = entry.custom_id if entry.id is None else str(entry.id)
    wanted = re.sub(r"[^A-Za-z0-9_-]+", "-", given or f"line-{number:05d}").strip("-")[:60]
    wanted = wanted or f"line-{number:05d}"
    unique = wanted if wanted not in taken else f"{wanted}-{number}"
    return Prompt(
        id=unique,
        name=clean(given or f"line {number}", newlines=False)[:80],
        text=text,
        system=system,
        max_tokens=cap,
    )


def _text(entry: _Line) -> tuple[str, str]:
    """(text, system) of a line. Of several messages the last user message is asked."""
    if entry.messages is None:
        return entry.prompt or entry.text or "", entry.system
    system = "\n".join(m.content for m in entry.messages if m.role == "system")
    users = [m.content for m in entry.messages if m.role == "user"]
    return (users[-1] if users else ""), system or entry.system
