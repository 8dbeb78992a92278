"""Reads conversations from exports of ChatGPT and Open WebUI.

ChatGPT's ``conversations.json`` is a list of conversations, each with a ``mapping`` of nodes by id
(``message``, ``parent``, ``children``) and a ``current_node``. Open WebUI exports a list of chats,
each with ``chat.history.messages`` by id (``parentId``, ``role``, ``content``) and ``currentId``,
or, from old versions, with a plain list ``chat.messages``. What is no text in them (pictures,
tools, hidden system messages) is left out, and what follows it hangs on what stands before it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import unescape
from typing import Any

from tui.core.types import TurnError
from tui.history.records import Origin
from tui.history.transfer import PlainConversation, PlainTurn
from tui.history.writing import title_of

MAX_MS = 253_402_300_799_000
"""The end of the year 9999."""
_TEXT_TYPES = (None, "text", "multimodal_text", "code")
_REASONING = re.compile(
    r'\A\s*<details type="reasoning"[^>]*>\s*(?:<summary>.*?</summary>)?(.*?)</details>\s*',
    re.DOTALL,
)
"""How Open WebUI stores thinking in front of an answer."""
Json = Mapping[str, Any]


def chatgpt(row: Json) -> PlainConversation:
    """A conversation of ChatGPT. Raises what a row of another shape raises: KeyError, TypeError,
    ValueError, AttributeError or OverflowError."""
    nodes: dict[str, Json] = row["mapping"]
    created_ms = time_ms(row.get("create_time"), 1000)
    parents = {key: node.get("parent") for key, node in nodes.items()}
    found: dict[str, PlainTurn] = {}
    thoughts: dict[str, str] = {}
    for key, node in nodes.items():
        message = node.get("message") or {}
        role = (message.get("author") or {}).get("role")
        content, metadata = message.get("content"), message.get("metadata") or {}
        text = "\n".join(_texts(content))
        if role == "assistant" and isinstance(content, dict) and content.get("thoughts"):
            thoughts[key] = "\n\n".join(_thoughts(content["thoughts"]))
        is_hidden = metadata.get("is_visually_hidden_from_conversation")
        if role not in ("user", "assistant") or not text.strip() or is_hidden:
            continue
        found[key] = PlainTurn(
            id=key,
            parent=node.get("parent"),
            role=role,
            text=text,
            created_ms=time_ms(message.get("create_time"), 1000) or created_ms,
            status="complete" if role == "assistant" else None,
            origin=Origin(str(metadata.get("model_slug") or ""), "ChatGPT")
            if role == "assistant"
            else None,
        )
    for key, turn in found.items():
        before = [thoughts[one] for one in _left_out_before(key, parents, found) if one in thoughts]
        if before and turn.role == "assistant":
            found[key] = replace(turn, thinking="\n\n".join(reversed(before)))
    uid = row.get("conversation_id") or row.get("id") or _digest(row)
    return _joined(f"chatgpt-{uid}", row, created_ms, found, parents, row.get("current_node"))


def open_webui(row: Json) -> PlainConversation:
    """A chat of Open WebUI. Raises as :func:`chatgpt`."""
    chat = row["chat"]
    history = chat.get("history") or {}
    messages: dict[str, Json] = history.get("messages") or _in_a_row(chat["messages"])
    created_ms = time_ms(row.get("created_at") or chat.get("timestamp"), 1000)
    found: dict[str, PlainTurn] = {}
    for key, message in messages.items():
        role, text, thinking = message.get("role"), _content(message.get("content")), ""
        failure = message.get("error")
        if role == "assistant" and (match := _REASONING.match(text)):
            thinking, text = _unquoted(match[1]), text[match.end() :]
        if role not in ("user", "assistant") or not (text.strip() or thinking or failure):
            continue
        said = failure.get("content") if isinstance(failure, dict) else failure
        found[key] = PlainTurn(
            id=key,
            parent=message.get("parentId"),
            role=role,
            text=text,
            thinking=thinking,
            created_ms=time_ms(message.get("timestamp"), 1000) or created_ms,
            status=None if role == "user" else "interrupted" if failure else "complete",
            error=TurnError("server", str(said)) if failure else None,
            origin=Origin(str(message.get("model") or ""), "Open WebUI")
            if role == "assistant"
            else None,
        )
    parents = {key: message.get("parentId") for key, message in messages.items()}
    uid = f"open-webui-{row.get('id') or chat.get('id') or _digest(row)}"
    return _joined(uid, row, created_ms, found, parents, history.get("currentId"))


def time_ms(value: object, factor: int) -> int:
    """A time in ms; 0 where it is missing or impossible."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    ms = value * factor
    return int(ms) if 0 <= ms <= MAX_MS else 0


def _texts(content: object) -> Iterator[str]:
    """The parts of a message that are text."""
    if not isinstance(content, dict) or content.get("content_type") not in _TEXT_TYPES:
        return
    for part in content.get("parts") or [content.get("text")]:
        text = part.get("text") if isinstance(part, dict) else part
        if isinstance(text, str):
            yield text


def _thoughts(thoughts: object) -> Iterator[str]:
    for thought in thoughts if isinstance(thoughts, list) else ():
        text = thought.get("content") if isinstance(thought, dict) else None
        if isinstance(text, str) and text.strip():
            yield text


def _content(content: object) -> str:
    """A message's text, which may come in parts, as the API of OpenAI has them."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return "\n".join(text for text in texts if isinstance(text, str))


def _unquoted(text: str) -> str:
    """The lines of a Markdown quote."""
    return "\n".join(re.sub(r"^> ?", "", line) for line in unescape(text).strip().splitlines())


def _in_a_row(messages: list[Json]) -> dict[str, Json]:
    """A list of messages; each follows the previous one unless it names a parent."""
    found: dict[str, Json] = {}
    before: str | None = None
    for number, message in enumerate(messages):
        key = str(message.get("id") or f"message {number}")
        found[key] = {"parentId": before, **message}
        before = key
    return found


def _left_out_before(
    key: str, parents: Mapping[str, object], found: Mapping[str, PlainTurn]
) -> Iterator[str]:
    """The nodes above a turn up to the next turn, the nearest first."""
    seen: set[str] = set()
    above = parents.get(key)
    while isinstance(above, str) and above not in found and above not in seen:
        seen.add(above)
        yield above
        above = parents.get(above)


def _joined(
    uid: str,
    row: Json,
    created_ms: int,
    found: Mapping[str, PlainTurn],
    parents: Mapping[str, object],
    leaf: object,
) -> PlainConversation:
    """The conversation, each turn on the nearest one before it that was taken."""

    def taken(key: object) -> str | None:
        seen = set()
        while isinstance(key, str) and key not in found and key not in seen:
            seen.add(key)
            key = parents.get(key)
        return key if isinstance(key, str) and key in found else None

    turns = _without_circles([replace(turn, parent=taken(turn.parent)) for turn in found.values()])
    if not turns:
        raise ValueError("no turns")
    title = row.get("title")
    times = [turn.created_ms for turn in turns if turn.created_ms]
    return PlainConversation(
        uid=uid,
        title=title if isinstance(title, str) and title.strip() else title_of(turns[0].text),
        created_ms=created_ms or min(times, default=0),
        turns=turns,
        leaf=taken(leaf),
        is_pinned=row.get("pinned") is True,
    )


def _without_circles(turns: list[PlainTurn]) -> tuple[PlainTurn, ...]:
    """Breaks cycles of parents: the first turn of a cycle begins the conversation."""
    parents = {turn.id: turn.parent for turn in turns}
    is_rooted: set[str] = set()
    for turn in turns:
        path: list[str] = []
        at: str | None = turn.id
        while at is not None and at not in is_rooted and at not in path:
            path.append(at)
            at = parents.get(at)
        if at is not None and at not in is_rooted:
            parents[at] = None
        is_rooted.update(path)
    return tuple(replace(turn, parent=parents[turn.id]) for turn in turns)


def _digest(row: Json) -> str:
    """Identity of a conversation without an id: a hash of its content."""
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:32]
