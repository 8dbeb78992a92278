"""Exports conversations as Markdown, JSON, HTML or CSV.

All of them are bytes in UTF-8 and hold nothing that a terminal would obey.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from html import escape

from tui.core.text.json_text import escaped_json
from tui.core.text.sanitize import clean, clean_line
from tui.history.transfer import PlainConversation, PlainTurn

FORMAT = "npulse-history/1"
"""``format`` of our JSON."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FORMULA = re.compile(r"^\s*[=+\-@\t\r]")
NUMBER_COLUMNS = (
    "finish", "tokens_out", "tokens_source", "ttft_ms", "ttft_source", "ttfot_ms", "latency_ms",
    "decode_tps", "decode_source", "runtime_decode_tps", "prefill_ms", "prefill_tps",
    "prefill_source", "prompt_tokens", "context_used", "context_tokens", "context_source",
    "thinking_tokens", "thinking_s", "tokens_hidden", "chunks", "clock", "headers_ms", "max_lag_ms",
)  # fmt: skip
"""Numbers of an answer that are columns of the CSV under their own names."""
GAP_COLUMNS = ("p50", "p90", "p99", "max")
_CONTEXT_COLUMNS = (
    "conversation", "title", "turn", "parent", "created", "model", "server", "is_simulated",
    "status", "error",
)  # fmt: skip


def utc(ms: int) -> str:
    """A time as ISO 8601 has it, in UTC: ``2026-11-27T03:34:06Z``. Times out of its reach are the
    nearest that it can write."""
    try:
        return (_EPOCH + timedelta(milliseconds=ms)).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:
        return "9999-12-31T23:59:59Z" if ms > 0 else "0001-01-01T00:00:00Z"


# -- JSON ------------------------------------------------------------------------------------------


def to_json(conversations: Sequence[PlainConversation]) -> bytes:
    """JSON with everything that is stored; :mod:`tui.history.import_documents` reads it back."""
    whole = {"format": FORMAT, "conversations": [_conversation(c) for c in conversations]}
    text = json.dumps(whole, ensure_ascii=False, indent=1)
    return escaped_json(text.encode("utf-8", "replace")) + b"\n"


def _conversation(found: PlainConversation) -> dict[str, object]:
    return {
        "uid": found.uid,
        "title": found.title,
        "created_ms": found.created_ms,
        "is_pinned": found.is_pinned,
        "tags": list(found.tags),
        "leaf": found.leaf,
        "turns": [_turn(turn) for turn in found.turns],
    }


def _turn(turn: PlainTurn) -> dict[str, object]:
    return {
        "id": turn.id,
        "parent": turn.parent,
        "role": turn.role,
        "created_ms": turn.created_ms,
        "text": turn.text,
        "thinking": turn.thinking,
        "status": turn.status,
        "error": None if turn.error is None else asdict(turn.error),
        "origin": None if turn.origin is None else asdict(turn.origin),
        "settings": None if turn.settings is None else asdict(turn.settings),
        "numbers": turn.numbers,
        "times_us": list(turn.times_us),
        "board": [{"t_ns": s.t_ns, "values": dict(s.values)} for s in turn.board],
        "ends": None
        if turn.ends is None
        else {"text": list(turn.ends.text), "thinking": list(turn.ends.thinking)},
    }


# -- Markdown --------------------------------------------------------------------------------------


def to_markdown(conversations: Sequence[PlainConversation]) -> bytes:
    """Markdown with YAML front matter about each conversation."""
    return "\n".join(_markdown(found) for found in conversations).encode("utf-8", "replace")


def _markdown(found: PlainConversation) -> str:
    models = sorted({t.origin.model for t in found.turns if t.origin is not None})
    simulated = any(t.origin is not None and t.origin.is_simulated for t in found.turns)
    front = {
        "title": found.title,
        "created": utc(found.created_ms),
        "models": models,
        "simulated": simulated,
        "tokens": sum(t for turn in found.turns if (t := _tokens(turn)) is not None),
        "tokens_estimated": any(
            (turn.numbers or {}).get("tokens_source") == "estimated" for turn in found.turns
        ),
        "tags": list(found.tags),
    }
    lines = ["---", *(f"{key}: {_yaml(value)}" for key, value in front.items()), "---", ""]
    lines += [f"# {clean_line(found.title)}", ""]
    for turn in found.turns:
        lines += [f"## {_speaker(turn)}", ""]
        if turn.thinking:
            lines += [*("> " + line for line in clean(turn.thinking).splitlines()), ""]
        lines += [clean(turn.text).rstrip(), ""]
        lines += [f"*{note}*\n" for note in _notes(turn)]
    return "\n".join(lines)


def _yaml(value: object) -> str:
    """JSON is YAML: quoted, so that no title is anything else."""
    return escaped_json(json.dumps(value, ensure_ascii=False).encode()).decode()


def _speaker(turn: PlainTurn) -> str:
    if turn.role == "user":
        return "You"
    return clean_line(turn.origin.model) if turn.origin and turn.origin.model else "Assistant"


def _tokens(turn: PlainTurn) -> int | None:
    value = (turn.numbers or {}).get("tokens_out")
    return value if isinstance(value, int) else None


def _notes(turn: PlainTurn) -> list[str]:
    """Notes about an answer, one line each."""
    notes = []
    if turn.status not in (None, "complete"):
        notes.append(clean_line(f"{turn.status}. {turn.error.sentence if turn.error else ''}"))
    shown = []
    for key, source, unit in (
        ("tokens_out", "tokens_source", "tokens"),
        ("decode_tps", "decode_source", "tok/s"),
        ("ttft_ms", "ttft_source", "ms TTFT"),
    ):
        value = (turn.numbers or {}).get(key)
        if isinstance(value, int | float):
            mark = "~" if (turn.numbers or {}).get(source) == "estimated" else ""
            shown.append(f"{mark}{value:.4g} {unit}" if value % 1 else f"{mark}{value:.0f} {unit}")
    return [*notes, ", ".join(shown)] if shown else notes


# -- HTML ------------------------------------------------------------------------------------------

_STYLE = """
:root { color-scheme: light dark; --ink: #1b232b; --soft: #5a6875; --rule: #d5dce3; --bg: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #d5dce4; --soft: #9fb0bf; --rule: #26303a;
  --bg: #0e1318; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--bg);
  max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
h2, .note { color: var(--soft); } h2 { font-size: 1rem; margin: 1.6rem 0 .2rem; }
h1 { border-top: 1px solid var(--rule); padding-top: 1rem; line-height: 1.2; }
pre { font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
"""


def to_html(conversations: Sequence[PlainConversation]) -> bytes:
    """One page: no script, nothing loaded from anywhere, every text escaped."""
    title = conversations[0].title if len(conversations) == 1 else "Conversations"
    body = "\n".join(_section(found) for found in conversations)
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(clean_line(title))}</title><style>{_STYLE}</style></head><body>\n{body}\n"
        "</body></html>\n"
    )
    return page.encode("utf-8", "replace")


def _section(found: PlainConversation) -> str:
    parts = [f"<h1><bdi>{escape(clean_line(found.title))}</bdi></h1>"]
    parts.append(f'<p class="note">{utc(found.created_ms)}</p>')
    for turn in found.turns:
        parts.append(f"<h2><bdi>{escape(_speaker(turn))}</bdi></h2>")
        if turn.thinking:
            parts.append(
                f'<details><summary>thinking</summary><pre dir="auto">'
                f"{escape(clean(turn.thinking))}</pre></details>"
            )
        parts.append(f'<pre dir="auto">{escape(clean(turn.text))}</pre>')
        parts += [f'<p class="note"><bdi>{escape(note)}</bdi></p>' for note in _notes(turn)]
    return "\n".join(parts)


# -- CSV -------------------------------------------------------------------------------------------


def to_csv(conversations: Iterable[PlainConversation]) -> bytes:
    """A row for each answer: who gave it, how it ended, its numbers. Unknown is empty."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    gaps = [f"itl_{name}_ms" for name in GAP_COLUMNS]
    write([*_CONTEXT_COLUMNS, *NUMBER_COLUMNS, *gaps])
    for found in conversations:
        for turn in found.turns:
            if turn.role == "assistant":
                write(_csv_row(found, turn))
    return out.getvalue().encode("utf-8", "replace")


def _csv_row(found: PlainConversation, turn: PlainTurn) -> list[object]:
    origin, numbers = turn.origin, turn.numbers or {}
    gaps = numbers.get("itl_ms")
    known: Mapping[str, object] = gaps if isinstance(gaps, dict) else {}
    cells = [
        found.uid,
        found.title,
        turn.id,
        turn.parent,
        utc(turn.created_ms),
        None if origin is None else origin.model,
        None if origin is None else origin.server,
        None if origin is None else str(origin.is_simulated).lower(),
        turn.status,
        None if turn.error is None else turn.error.sentence,
        *(numbers.get(name) for name in NUMBER_COLUMNS),
        *(known.get(name) for name in GAP_COLUMNS),
    ]
    return [_cell(value) for value in cells]


def _cell(value: object) -> object:
    """A spreadsheet runs a text that begins like a formula: an apostrophe makes it a text."""
    if value is None or isinstance(value, int | float):
        return value
    text = clean_line(str(value))
    return f"'{text}" if _FORMULA.match(text) else text


FORMATS: Mapping[str, Callable[[Sequence[PlainConversation]], bytes]] = {
    "markdown": to_markdown,
    "json": to_json,
    "html": to_html,
    "csv": to_csv,
}
SUFFIXES = {"markdown": ".md", "json": ".json", "html": ".html", "csv": ".csv"}
