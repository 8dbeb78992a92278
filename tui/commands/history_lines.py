"""Formats conversations as lines and as JSON for ``npulse history``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime

from tui.commands.stdout_paper import stdout_paper
from tui.core.text.json_text import escaped_json
from tui.core.text.printed import Cell, Paper, table
from tui.core.text.sanitize import clean, clean_line
from tui.history.export_documents import utc
from tui.history.pruning import Removal
from tui.history.records import ConversationRow, Limits, StoredConversation, StoredTurn
from tui.settings.history_options import MIB


def print_json(value: object) -> None:
    """JSON on stdout; escaped where the terminal takes no UTF-8."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "").replace("_", "")
    data = json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    print(escaped_json(data, is_ascii=encoding != "utf8").decode())


def row_json(row: ConversationRow) -> dict[str, object]:
    """One conversation of a list, for ``--json``."""
    return {
        "id": row.id,
        "title": row.title,
        "created": utc(row.created_ms),
        "model": row.model,
        "turns": row.turns,
        "tokens": row.tokens,
    }


def row_lines(
    rows: Sequence[ConversationRow], paper: Paper, firsts: Sequence[str] = ()
) -> list[str]:
    """Conversations as lines below each other; ``firsts`` is what stands before each of them."""
    return table(
        [(*firsts[at : at + 1], *_cells(row)) for at, row in enumerate(rows)],
        paper,
        right={1, 4, 5} if firsts else {0, 3, 4},
        cuts=6 if firsts else 5,
        drops=(4, 5) if firsts else (3, 4),
    )


def _cells(row: ConversationRow) -> tuple[Cell, ...]:
    marks = ("pinned " if row.is_pinned else "") + ("running " if row.is_running else "")
    simulated = "SIMULATED " if row.is_simulated else ""
    tokens = f"~{row.tokens}" if row.is_tokens_estimated else str(row.tokens)
    tags = "".join(f" #{tag}" for tag in row.tags)
    return (
        (str(row.id), "strong"),
        (local_time(row.created_ms), "dim"),
        (clean_line(row.model or "–", 24), "live"),
        f"{row.turns} {'turn ' if row.turns == 1 else 'turns'}",
        f"{tokens} tokens",
        f"{row.title}{tags}",
        (f"{marks}{simulated}".rstrip(), "warn" if row.is_simulated else ""),
    )


def local_time(ms: int) -> str:
    """A time of the history in this machine's time zone; UTC where that cannot be."""
    try:
        return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return utc(ms)[:16].replace("T", " ")


def turn_json(turn: StoredTurn) -> dict[str, object]:
    """One prompt or answer, for ``--json``."""
    return {
        "id": turn.id,
        "parent": turn.parent,
        "role": turn.role,
        "text": turn.text,
        "thinking": turn.thinking,
        "status": turn.status,
        "error": None if turn.error is None else turn.error.sentence,
        "numbers": turn.numbers,
    }


def print_conversation(found: StoredConversation) -> None:
    """A conversation as text on stdout."""
    row = found.row
    paper = stdout_paper()
    mark = "~" if row.is_tokens_estimated else ""
    turns = "1 turn" if row.turns == 1 else f"{row.turns} turns"
    print(paper.styled(row.title, "strong"))
    print(f"{local_time(row.created_ms)}  {turns}  {mark}{row.tokens} tokens")
    for turn in found.turns:
        model = None if turn.origin is None else clean_line(turn.origin.model)
        who = "you" if turn.role == "user" else model or "assistant"
        branch = f", after {turn.parent}" if turn.parent is not None else ""
        head = paper.styled(f"-- {who}", "live" if turn.role == "user" else "strong")
        print(f"\n{head}  ({turn.id}{branch})")
        if turn.thinking:
            thoughts = (f"> {line}" for line in clean(turn.thinking).splitlines())
            print("\n".join(paper.styled(line, "dim") for line in thoughts))
        print(clean(turn.text).rstrip())
        if turn.status not in (None, "complete"):
            said = clean_line(f"[{turn.status}] {turn.error.sentence if turn.error else ''}")
            print(paper.styled(said, "warn"))


def prune_summary(wanted: list[Removal], limits: Limits, *, is_removed: bool) -> str:
    """What was removed, or would be."""
    if not wanted:
        if not (limits.max_age_days or limits.max_bytes):
            return (
                "nothing to remove: no limit is set ([history] in config.toml, or --max-age-days)"
            )
        return "nothing to remove"
    room = sum(removal.size_bytes for removal in wanted) / MIB
    what = f"{len(wanted)} conversation{'s' if len(wanted) != 1 else ''}, ~{room:.1f} MiB"
    return f"removed {what}" if is_removed else f"would remove {what}; --yes removes them"
