"""Whatever a file holds, it is read or refused, and what is stored of it is sound."""

from __future__ import annotations

import json
import tempfile
from array import array
from contextlib import closing
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.made import opened
from tui.core.text.sanitize import is_forbidden
from tui.core.turn.chunk_words import ChunkEnds
from tui.core.types import GenerationSettings, TurnError
from tui.history import listing
from tui.history.board_samples import BoardSample
from tui.history.database import damage
from tui.history.export_documents import FORMATS, to_json
from tui.history.import_documents import NotUnderstoodError, ReadDocument, read
from tui.history.records import Origin
from tui.history.transfer import PlainConversation, PlainTurn, add, parents_first, plain

pytestmark = pytest.mark.slow

KEYS = st.sampled_from(
    [
        "format", "conversations", "turns", "id", "uid", "title", "parent", "role", "text",
        "mapping", "message", "author", "content", "parts", "create_time", "current_node", "chat",
        "history", "messages", "currentId", "parentId", "timestamp", "created_at", "error",
        "numbers", "times_us", "board", "t_ns", "values", "origin", "settings", "tags", "status",
    ]
)  # fmt: skip
WORDS = st.sampled_from(
    ["npulse-history/1", "user", "assistant", "complete", "text", "a", "b", "\ud800", "\x1b[2J", ""]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | WORDS, inner, max_size=6),
    max_leaves=25,
)
IDS = st.sampled_from(["1", "2", "3", "4", "5"])
STEPS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=4)
ENDS = STEPS.map(
    lambda steps: ChunkEnds(
        array("I", accumulate(step[0] for step in steps)),
        array("I", accumulate(step[1] for step in steps)),
    )
)
SAMPLE = st.builds(
    BoardSample,
    t_ns=st.integers(-9, 10**7).map(lambda ms: ms * 1_000_000),
    values=st.dictionaries(
        st.sampled_from(["npu.load.0", "npu.freq", "ram.available", "npu.activity", "soc.temp"]),
        st.none() | st.floats(-1e6, 1e12, allow_nan=False),
    ),
)
NUMBERS = st.fixed_dictionaries(
    {},
    optional={
        "tokens_out": st.integers(0, 10**6),
        "tokens_source": st.sampled_from(["runtime", "estimated"]),
        "decode_tps": st.floats(0, 1e4),
        "itl_ms": st.fixed_dictionaries({"p50": st.none() | st.floats(0, 1e6)}),
        "ttft_includes": st.lists(st.sampled_from(["load", "queue"]), max_size=2),
        "is_buffered": st.booleans(),
    },
)
TURN = st.builds(
    PlainTurn,
    id=IDS,
    parent=st.none() | IDS | st.just("nowhere"),
    role=st.sampled_from(["user", "assistant"]),
    text=st.text(max_size=20),
    thinking=st.text(max_size=5),
    status=st.sampled_from([None, "complete", "interrupted"]),
    times_us=st.lists(st.integers(-5, 10**12), max_size=4).map(tuple),
    board=st.lists(SAMPLE, max_size=3).map(tuple),
    ends=st.none() | ENDS,
    error=st.none() | st.builds(TurnError, st.just("cut"), st.text(max_size=9)),
    origin=st.none()
    | st.builds(Origin, st.text(max_size=5), context_tokens=st.none() | IDS.map(int)),
    settings=st.none() | st.builds(GenerationSettings, temperature=st.floats(0, 2)),
    numbers=st.none() | NUMBERS,
    created_ms=st.integers(0, 10**13),
)
CONVERSATION = st.builds(
    PlainConversation,
    uid=st.text(max_size=8),
    title=st.text(max_size=8),
    created_ms=st.integers(0, 10**13),
    turns=st.lists(TURN, max_size=8).map(tuple),
    leaf=st.none() | IDS,
    is_pinned=st.booleans(),
    tags=st.lists(st.text(max_size=4), max_size=2).map(tuple),
)


def store(wanted: list[PlainConversation]) -> list[PlainConversation]:
    """Into a new database, and what it has then."""
    with tempfile.TemporaryDirectory() as name, closing(opened(Path(name))) as connection:
        for conversation in wanted:
            add(connection, conversation)
        assert damage(connection, is_thorough=True) == []
        rows = listing.conversations(connection)
        kept = [plain(connection, row.id) for row in rows[::-1]]
        return [conversation for conversation in kept if conversation is not None]


def understood(data: bytes) -> ReadDocument | None:
    """What a file holds; None where it is refused in one sentence."""
    try:
        return read(data)
    except NotUnderstoodError as error:
        said = str(error)
    assert said
    assert "\n" not in said
    return None


@settings(max_examples=150)
@given(JSON | st.fixed_dictionaries({"format": st.just("npulse-history/1"), "conversations": JSON}))
def test_any_json_is_read_or_refused(value: Any) -> None:
    found = understood(json.dumps(value).encode())
    if found is not None:
        assert len(store(list(found.conversations))) == len(found.conversations)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    found = understood(data)
    assert found is None or len(store(list(found.conversations))) == len(found.conversations)


@settings(max_examples=60)
@given(st.lists(CONVERSATION, max_size=3))
def test_what_is_exported_is_imported_again_and_is_safe(wanted: list[PlainConversation]) -> None:
    kept = store(wanted)
    data = to_json(kept)
    again = store(list(read(data).conversations))
    assert sorted(map(shape, again), key=repr) == sorted(map(shape, kept), key=repr)
    assert to_json(store(list(read(to_json(again)).conversations))) == to_json(again)
    for make in FORMATS.values():
        assert not any(is_forbidden(char) for char in make(kept).decode())


def shape(found: PlainConversation) -> PlainConversation:
    """All but the ids, which are a database's own."""
    place = {turn.id: number for number, turn in enumerate(found.turns)}
    turns = tuple(replace(t, id="", parent=str(place.get(t.parent or "", -1))) for t in found.turns)
    return replace(found, turns=turns, leaf=str(place.get(found.leaf or "", -1)))


@given(st.lists(TURN, max_size=12))
def test_parents_come_before_what_follows_them(turns: list[PlainTurn]) -> None:
    seen: set[str] = set()
    known = {turn.id for turn in turns}
    for turn in parents_first(turns):
        assert turn.parent is None or turn.parent not in known or turn.parent in seen
        seen.add(turn.id)
    roots = {turn.id for turn in turns if turn.parent not in known}
    assert roots <= seen or len(known) < len(turns)


HUGE = 10**400
USER = {"id": "1", "role": "user", "text": "hi", "created_ms": 1}


@pytest.mark.parametrize(
    "odd",
    [
        {"numbers": {"decode_tps": HUGE, "tokens_out": 2**70, "itl_ms": {"p50": HUGE}}},
        {"numbers": {"decode_tps": 2**63, "finish_reason": "\x1b[2J", "\x1b": 1}},
        {"board": [{"t_ns": 1, "values": {"soc": "nan", "npu": "1e400"}}]},
        {"times_us": [HUGE, 2**63, -1]},
        {"created_ms": HUGE},
    ],
)
def test_numbers_that_cannot_be_are_left_out(odd: dict[str, Any]) -> None:
    answer = {"id": "2", "parent": "1", "role": "assistant", "text": "yes", **odd}
    rows = [{"uid": "u", "turns": [USER, answer]}]
    document = {"format": "npulse-history/1", "conversations": rows}
    [kept] = store(list(read(json.dumps(document).encode()).conversations))
    assert [turn.text for turn in kept.turns] == ["hi", "yes"]
    json.dumps(json.loads(to_json([kept])), allow_nan=False)
    assert not any(
        is_forbidden(char) for make in FORMATS.values() for char in make([kept]).decode()
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("times_us", [1, "a"]),
        ("times_us", [10**40]),
        ("times_us", 5),
        ("board", [{"t_ns": 10**40, "values": {}}]),
        ("board", [{"values": 3}]),
        ("ends", "nonsense"),
        ("ends", {"text": [5, 3], "thinking": [0, 0]}),
        ("ends", {"text": [-1], "thinking": [0]}),
        ("ends", {"text": [1], "thinking": []}),
    ],
)
def test_damaged_measurements_take_no_words_with_them(name: str, value: object) -> None:
    asked = {"id": "1", "role": "user", "text": "why?"}
    said = {"id": "2", "parent": "1", "role": "assistant", "text": "because", name: value}
    row = {"uid": "u", "created_ms": 1, "turns": [asked, said]}
    found = understood(json.dumps({"format": "npulse-history/1", "conversations": [row]}).encode())
    assert found is not None
    (kept,) = store(list(found.conversations))
    assert [turn.text for turn in kept.turns] == ["why?", "because"]
    answer = kept.turns[1]
    assert (answer.times_us, answer.board) == ((), ())
    assert answer.ends is None or not answer.ends.text
