"""Conversations out of JSON: our own export, that of ChatGPT, and that of Open WebUI.

ChatGPT's ``conversations.json`` is a list of conversations, each with a ``mapping`` of nodes by id
(``message``, ``parent``, ``children``) and a ``current_node``. Open WebUI exports a list of chats,
each with ``chat.history.messages`` by id (``parentId``, ``role``, ``content``) and ``currentId``.
What is no text in them (pictures, tools, hidden system messages) is left out, and what follows it
hangs on what stands before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import msgspec

from tui.core.text.sanitize import clean_line
from tui.core.types import GenerationSettings, TurnError, TurnStatus
from tui.history.board_samples import BoardSample
from tui.history.export_documents import FORMAT
from tui.history.records import Origin
from tui.history.transfer import PlainConversation, PlainTurn
from tui.history.writing import title_of

MAX_IMPORT_BYTES = 512 << 20
MAX_MS = 253_402_300_799_000
"""The end of the year 9999."""
MAX_NUMBER = 2.0**53
"""A larger one is no count, time or rate, and JSON has it no longer exactly."""
MAX_WORD_CHARS = 400
MAX_DEPTH = 4
_STATUSES = frozenset(get_args(TurnStatus))
Json = Mapping[str, Any]


class NotUnderstoodError(ValueError):
    """The file is none of the kinds that can be read. The message is one sentence."""


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """What a file holds; ``n_skipped`` conversations of it could not be understood."""

    kind: str
    conversations: tuple[PlainConversation, ...]
    n_skipped: int = 0


def read(data: bytes) -> ReadDocument:
    """The conversations of a file, oldest first. Raises NotUnderstoodError."""
    try:
        # NaN and Infinity are no JSON, though Python takes them.
        whole = json.loads(data.decode("utf-8-sig", "strict"), parse_constant=lambda _: None)
    except UnicodeDecodeError:
        raise NotUnderstoodError("it is not a text in UTF-8") from None
    except RecursionError:
        raise NotUnderstoodError("its JSON is nested too deeply") from None
    except ValueError as error:
        raise NotUnderstoodError(f"it is no JSON: {error}") from None
    if isinstance(whole, dict) and whole.get("format") == FORMAT:
        return _read_all("npulse", whole.get("conversations"), _ours)
    if isinstance(whole, dict) and str(whole.get("format", "")).startswith("npulse-history/"):
        raise NotUnderstoodError("it was exported by a newer npulse; update npulse")
    rows = whole if isinstance(whole, list) else [whole]
    first = next((row for row in rows if isinstance(row, dict)), None)
    if first is not None and isinstance(first.get("mapping"), dict):
        return _read_all("ChatGPT", rows, _chatgpt)
    if first is not None and isinstance(first.get("chat"), dict):
        return _read_all("Open WebUI", rows, _open_webui)
    raise NotUnderstoodError("it is no export of npulse, ChatGPT or Open WebUI that is known here")


def _read_all(kind: str, rows: object, reader: Any) -> ReadDocument:
    if not isinstance(rows, list):
        raise NotUnderstoodError("it holds no list of conversations")
    read_rows = [_understood(row, reader) for row in rows]
    found = [conversation for conversation in read_rows if conversation is not None]
    found.sort(key=lambda conversation: conversation.created_ms)
    return ReadDocument(kind, tuple(found), len(rows) - len(found))


def _understood(row: object, reader: Any) -> PlainConversation | None:
    try:
        made: PlainConversation = reader(row)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    return made


# -- ours ------------------------------------------------------------------------------------------


def _ours(row: Json) -> PlainConversation:
    turns = tuple(_our_turn(turn) for turn in row["turns"])
    return PlainConversation(
        uid=str(row["uid"]),
        title=str(row.get("title", "")),
        created_ms=_ms(row.get("created_ms"), 1),
        turns=turns,
        leaf=None if row.get("leaf") is None else str(row["leaf"]),
        is_pinned=row.get("is_pinned") is True,
        tags=tuple(str(tag) for tag in row.get("tags") or ()),
    )


def _our_turn(row: Json) -> PlainTurn:
    role, status, error = row["role"], row.get("status"), row.get("error")
    if role not in ("user", "assistant") or not (status is None or status in _STATUSES):
        raise ValueError(role)
    numbers = row.get("numbers")
    return PlainTurn(
        id=str(row["id"]),
        parent=None if row.get("parent") is None else str(row["parent"]),
        role=role,
        text=str(row["text"]),
        created_ms=_ms(row.get("created_ms"), 1),
        thinking=str(row.get("thinking") or ""),
        status=status,
        error=None if error is None else TurnError(str(error["kind"]), str(error["sentence"])),
        origin=_converted(row.get("origin"), Origin),
        settings=_converted(row.get("settings"), GenerationSettings),
        numbers=_known_numbers(numbers) if isinstance(numbers, dict) else None,
        times_us=tuple(int(t_us) for t_us in row.get("times_us") or ()),
        board=tuple(
            BoardSample(int(sample["t_ns"]), _values(sample["values"]))
            for sample in row.get("board") or ()
        ),
    )


def _known_numbers(row: Json) -> dict[str, object]:
    """The numbers of a turn without those that none can be; words are safe to show."""
    return {clean_line(str(name), MAX_WORD_CHARS): _known(value) for name, value in row.items()}


def _known(value: object, depth: int = 0) -> object:
    if isinstance(value, str):
        return clean_line(value, MAX_WORD_CHARS)
    if isinstance(value, int | float):
        return value if abs(value) <= MAX_NUMBER else None
    if depth < MAX_DEPTH and isinstance(value, dict):
        return {clean_line(str(k), MAX_WORD_CHARS): _known(v, depth + 1) for k, v in value.items()}
    if depth < MAX_DEPTH and isinstance(value, list):
        return [_known(item, depth + 1) for item in value]
    return None


def _values(row: Json) -> dict[str, float | None]:
    found = {str(name): None if value is None else float(value) for name, value in row.items()}
    return {
        name: value if value is not None and abs(value) <= MAX_NUMBER else None
        for name, value in found.items()
    }


def _converted(value: object, kind: Any) -> Any:
    return None if value is None else msgspec.convert(value, kind)


# -- theirs ----------------------------------------------------------------------------------------


def _chatgpt(row: Json) -> PlainConversation:
    nodes: dict[str, Json] = row["mapping"]
    created_ms = _ms(row.get("create_time"), 1000)
    found: dict[str, PlainTurn] = {}
    for key, node in nodes.items():
        message = node.get("message") or {}
        role = (message.get("author") or {}).get("role")
        text = "\n".join(_texts(message.get("content")))
        is_hidden = (message.get("metadata") or {}).get("is_visually_hidden_from_conversation")
        if role not in ("user", "assistant") or not text.strip() or is_hidden:
            continue
        model = (message.get("metadata") or {}).get("model_slug")
        found[key] = PlainTurn(
            id=key,
            parent=node.get("parent"),
            role=role,
            text=text,
            created_ms=_ms(message.get("create_time"), 1000) or created_ms,
            status="complete" if role == "assistant" else None,
            origin=Origin(str(model or ""), "ChatGPT") if role == "assistant" else None,
        )
    parents = {key: node.get("parent") for key, node in nodes.items()}
    uid = row.get("conversation_id") or row.get("id") or _digest(row)
    return _joined(f"chatgpt-{uid}", row, created_ms, found, parents, row.get("current_node"))


def _texts(content: object) -> Iterator[str]:
    """The parts of a message that are text."""
    if not isinstance(content, dict):
        return
    if content.get("content_type") not in (None, "text", "multimodal_text", "code"):
        return
    for part in content.get("parts") or [content.get("text")]:
        if isinstance(part, str):
            yield part


def _open_webui(row: Json) -> PlainConversation:
    chat = row["chat"]
    history = chat.get("history") or {}
    messages: dict[str, Json] = history.get("messages") or {
        str(message["id"]): message for message in chat["messages"]
    }
    created_ms = _ms(row.get("created_at") or chat.get("timestamp"), 1000)
    found: dict[str, PlainTurn] = {}
    for key, message in messages.items():
        role, text = message.get("role"), message.get("content")
        if role not in ("user", "assistant") or not isinstance(text, str) or not text.strip():
            continue
        failure = message.get("error")
        said = failure.get("content") if isinstance(failure, dict) else failure
        found[key] = PlainTurn(
            id=key,
            parent=message.get("parentId"),
            role=role,
            text=text,
            created_ms=_ms(message.get("timestamp"), 1000) or created_ms,
            status=None if role == "user" else "interrupted" if failure else "complete",
            error=TurnError("server", str(said)) if failure else None,
            origin=Origin(str(message.get("model") or ""), "Open WebUI")
            if role == "assistant"
            else None,
        )
    parents = {key: message.get("parentId") for key, message in messages.items()}
    uid = f"open-webui-{row.get('id') or chat.get('id') or _digest(row)}"
    return _joined(uid, row, created_ms, found, parents, history.get("currentId"))


def _joined(
    uid: str,
    row: Json,
    created_ms: int,
    found: Mapping[str, PlainTurn],
    parents: Mapping[str, str | None],
    leaf: object,
) -> PlainConversation:
    """The conversation, each turn on the nearest one before it that was taken."""

    def taken(key: object) -> str | None:
        seen = set()
        while isinstance(key, str) and key not in found and key not in seen:
            seen.add(key)
            key = parents.get(key)
        return key if isinstance(key, str) and key in found else None

    turns = tuple(replace(turn, parent=taken(turn.parent)) for turn in found.values())
    if not turns:
        raise ValueError("no turns")
    title = row.get("title")
    return PlainConversation(
        uid=uid,
        title=title if isinstance(title, str) and title.strip() else title_of(turns[0].text),
        created_ms=created_ms or min(turn.created_ms for turn in turns),
        turns=turns,
        leaf=taken(leaf),
        is_pinned=row.get("pinned") is True,
    )


def _digest(row: Json) -> str:
    """What tells a conversation without an id from others."""
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:32]


def _ms(value: object, factor: int) -> int:
    """A time in ms; 0 where there is none or it is none that can be."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    ms = value * factor
    return int(ms) if 0 <= ms <= MAX_MS else 0
