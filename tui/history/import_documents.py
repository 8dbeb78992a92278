"""Reads conversations from files: npulse's JSON export and those of other programs
(:mod:`tui.history.foreign_documents`), as JSON or as the ZIP archive they come in.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar, get_args

import msgspec

from tui.core.text.sanitize import clean_line
from tui.core.turn.chunk_words import ChunkEnds
from tui.core.types import GenerationSettings, TurnError, TurnStatus
from tui.history.board_samples import BoardSample
from tui.history.chunk_ends import MAX_CHARS
from tui.history.export_documents import FORMAT
from tui.history.foreign_documents import chatgpt, open_webui, time_ms
from tui.history.records import Origin
from tui.history.transfer import PlainConversation, PlainTurn

MAX_IMPORT_BYTES = 512 << 20
MAX_DIGITS = 300
ZIP_START = b"PK\x03\x04"
IN_ARCHIVE = "conversations.json"
"""Name of the JSON file in ChatGPT's archive."""
MAX_NUMBER = 2.0**53
"""Larger numbers are rejected: JSON does not hold them exactly."""
MAX_WORD_CHARS = 400
MAX_DEPTH = 4
_STATUSES = frozenset(get_args(TurnStatus))
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""Exceptions that a row of another shape raises."""
Json = Mapping[str, Any]
T = TypeVar("T")


class NotUnderstoodError(ValueError):
    """The file's format is unknown. The message is one sentence."""


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """Content of a file; ``n_skipped`` conversations could not be parsed."""

    kind: str
    conversations: tuple[PlainConversation, ...]
    n_skipped: int = 0


def read(data: bytes) -> ReadDocument:
    """The conversations of a file, oldest first. Raises NotUnderstoodError."""
    if data.startswith(ZIP_START):
        data = _unpacked(data)
    try:
        # NaN and Infinity are no JSON, though Python takes them.
        whole = json.loads(
            data.decode("utf-8-sig", "strict"), parse_constant=lambda _: None, parse_int=_number
        )
    except UnicodeDecodeError:
        raise NotUnderstoodError("it is neither a text in UTF-8 nor a ZIP archive") from None
    except RecursionError:
        raise NotUnderstoodError("its JSON is nested too deeply") from None
    except ValueError as error:
        raise NotUnderstoodError(f"it is no JSON: {error}") from None
    if isinstance(whole, dict) and whole.get("format") == FORMAT:
        return _read_all("npulse", whole.get("conversations"), _ours)
    if isinstance(whole, dict) and str(whole.get("format", "")).startswith("npulse-history/"):
        raise NotUnderstoodError("it was exported by a newer npulse; update npulse")
    rows = whole if isinstance(whole, list) else [whole]
    for kind, name, reader in (
        ("ChatGPT", "mapping", chatgpt),
        ("Open WebUI", "chat", open_webui),
    ):
        if any(isinstance(row, dict) and isinstance(row.get(name), dict) for row in rows):
            return _read_all(kind, rows, reader)
    raise NotUnderstoodError(
        "it is not an export of npulse, ChatGPT or Open WebUI that npulse can read"
    )


def _number(digits: str) -> int:
    """Parses a whole number; extremely long ones are cut and stay too large."""
    return int(digits[:MAX_DIGITS])


def _unpacked(data: bytes) -> bytes:
    """``conversations.json`` of an archive, or its only JSON file. Raises NotUnderstoodError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [one for one in archive.infolist() if one.filename.lower().endswith(".json")]
            named = [one for one in files if one.filename.rpartition("/")[2] == IN_ARCHIVE]
            wanted = named or files
            if len(wanted) != 1:
                raise NotUnderstoodError(f"it is an archive without one {IN_ARCHIVE}")
            with archive.open(wanted[0]) as file:
                # No more than that, whatever its size is said to be.
                unpacked = file.read(MAX_IMPORT_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
        # RuntimeError: it is encrypted; NotImplementedError is one, of an unknown compression.
        raise NotUnderstoodError(f"it is an archive that cannot be unpacked: {error}") from None
    if len(unpacked) > MAX_IMPORT_BYTES:
        raise NotUnderstoodError(f"it unpacks to more than {MAX_IMPORT_BYTES >> 20} MiB")
    return unpacked


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
    except UNREADABLE:
        return None
    return made


# -- ours ------------------------------------------------------------------------------------------


def _ours(row: Json) -> PlainConversation:
    turns = tuple(_our_turn(turn) for turn in row["turns"])
    return PlainConversation(
        uid=str(row["uid"]),
        title=str(row.get("title", "")),
        created_ms=time_ms(row.get("created_ms"), 1),
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
        created_ms=time_ms(row.get("created_ms"), 1),
        thinking=str(row.get("thinking") or ""),
        status=status,
        error=None if error is None else TurnError(str(error["kind"]), str(error["sentence"])),
        origin=_converted(row.get("origin"), Origin),
        settings=_converted(row.get("settings"), GenerationSettings),
        numbers=_known_numbers(numbers) if isinstance(numbers, dict) else None,
        times_us=_sound(_times_us, row.get("times_us")) or (),
        board=_sound(_samples, row.get("board")) or (),
        ends=_sound(_ends, row.get("ends")),
    )


def _sound(read: Callable[[Any], T], value: object) -> T | None:
    """Measurements of an answer; damaged ones are left out, and the text stays."""
    if value is None:
        return None
    try:
        return read(value)
    except UNREADABLE:
        return None


def _times_us(row: Any) -> tuple[int, ...]:
    times_us = tuple(int(t_us) for t_us in row)
    if any(abs(t_us) > MAX_NUMBER for t_us in times_us):
        raise ValueError(row)
    return times_us


def _samples(row: Any) -> tuple[BoardSample, ...]:
    samples = tuple(BoardSample(int(one["t_ns"]), _values(one["values"])) for one in row)
    if any(abs(sample.t_ns) > MAX_NUMBER * 1000 for sample in samples):
        raise ValueError(row)
    return samples


def _ends(row: Json) -> ChunkEnds | None:
    """The chunk ends; None where they are invalid (they never decrease)."""
    text, thinking = row["text"], row["thinking"]
    if len(text) != len(thinking):
        return None
    for ends in (text, thinking):
        in_range = all(isinstance(end, int) and 0 <= end <= MAX_CHARS for end in ends)
        if not in_range or any(after < before for before, after in pairwise(ends)):
            return None
    return ChunkEnds(array("I", text), array("I", thinking))


def _known_numbers(row: Json) -> dict[str, object]:
    """The valid numbers of a turn; strings are sanitised."""
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
