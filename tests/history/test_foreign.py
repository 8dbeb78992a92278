"""Exports of other programs, whole and odd: what is text in them is kept, nothing else harms."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.history.made import opened
from tui.history.import_documents import NotUnderstoodError, read
from tui.history.transfer import PlainConversation, add, plain


def read_one(row: dict[str, Any]) -> PlainConversation:
    document = read(json.dumps([row]).encode())
    assert document.n_skipped == 0
    (found,) = document.conversations
    return found


def node(role: str, parent: str | None, content: object, **metadata: object) -> dict[str, Any]:
    message = {"author": {"role": role}, "content": content, "metadata": metadata}
    return {"message": message, "parent": parent}


def text(*parts: object) -> dict[str, Any]:
    return {"content_type": "text", "parts": list(parts)}


def test_pictures_tools_and_null_content_are_left_out_and_thoughts_are_thinking() -> None:
    found = read_one(
        {
            "title": "odd",
            "mapping": {
                "root": {"message": None, "parent": None},
                "system": node("system", "root", text("")),
                "a": node("user", "system", text("look", {"asset_pointer": "x"}, {"text": "here"})),
                "b": node(
                    "assistant",
                    "a",
                    {"content_type": "thoughts", "thoughts": [{"content": "a thought"}, None]},
                ),
                "c": node("tool", "b", {"content_type": "execution_output", "text": "1"}),
                "d": node("assistant", "c", None),
                "e": node("assistant", "d", text(None, "the answer"), model_slug="m"),
            },
            "current_node": "e",
        }
    )
    asked, answer = found.turns
    assert (asked.text, asked.parent) == ("look\nhere", None)
    assert (answer.text, answer.thinking, answer.parent) == ("the answer", "a thought", "a")
    assert found.leaf == "e"


def test_nodes_that_are_each_others_parents_are_kept(tmp_path: Path) -> None:
    found = read_one(
        {
            "title": "circle",
            "mapping": {
                "q": node("user", "r", text("before the circle")),
                "a": node("user", "b", text("one")),
                "b": node("assistant", "a", text("two")),
                "self": node("user", "self", text("alone")),
                "r": {"message": None, "parent": "q"},
            },
        }
    )
    connection = opened(tmp_path)
    number = add(connection, found)
    assert number is not None
    stored = plain(connection, number)
    assert stored is not None
    assert sorted(turn.text for turn in stored.turns) == [
        "alone", "before the circle", "one", "two",
    ]  # fmt: skip
    connection.close()


@pytest.mark.parametrize("time", [None, -1e18, 1e300, "NaN", True])
def test_a_conversation_without_a_date_is_of_today_so_that_nothing_prunes_it(
    tmp_path: Path, time: object
) -> None:
    row = {"create_time": time, "mapping": {"a": node("user", None, text("hi"))}}
    connection = opened(tmp_path)
    number = add(connection, read_one(row))
    stored = plain(connection, number or 0)
    assert stored is not None
    assert stored.created_ms > 1_700_000_000_000
    assert stored.turns[0].created_ms == stored.created_ms
    connection.close()


def test_a_conversation_without_a_mapping_hides_no_other() -> None:
    rows = [{"title": "no mapping"}, None, {"mapping": {"a": node("user", None, text("hi"))}}]
    document = read(json.dumps(rows).encode())
    assert (len(document.conversations), document.n_skipped) == (1, 2)


def test_open_webui_in_parts_with_reasoning_and_as_a_plain_list() -> None:
    reasoning = (
        '<details type="reasoning" done="true" duration="3">\n<summary>Thought</summary>\n'
        "&gt; first\n&gt; second\n</details>\nthe answer"
    )
    messages = {
        "a": {"role": "user", "parentId": None, "content": [{"type": "text", "text": "in parts"}]},
        "b": {"role": "assistant", "parentId": "a", "content": reasoning},
        "c": {"role": "assistant", "parentId": "a", "content": "", "error": {"content": "no GPU"}},
    }
    found = read_one({"chat": {"history": {"messages": messages, "currentId": "b"}}})
    asked, answer, failed = found.turns
    assert asked.text == "in parts"
    assert (answer.text, answer.thinking) == ("the answer", "first\nsecond")
    assert failed.error is not None
    assert "no GPU" in failed.error.sentence
    old = read_one({"chat": {"messages": [{"role": "user", "content": "q"},
                                          {"role": "assistant", "content": "a"}]}})  # fmt: skip
    assert [(turn.text, turn.parent) for turn in old.turns] == [("q", None), ("a", "message 0")]


def archive(**files: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened_archive:
        for name, content in files.items():
            opened_archive.writestr(name.replace("__", "."), content)
    return made.getvalue()


def test_an_archive_is_read_and_a_broken_one_refused() -> None:
    row = {"mapping": {"a": node("user", None, text("hi"))}}
    whole = archive(conversations__json=json.dumps([row]), user__json="{}", chat__html="<html>")
    assert len(read(whole).conversations) == 1
    assert len(read(archive(export__json=json.dumps([row]))).conversations) == 1
    for data in (whole[:-30], whole[:40], archive(chat__html=""), archive(a__json="", b__json="")):
        with pytest.raises(NotUnderstoodError, match="archive"):
            read(data)
    damaged = bytearray(whole)
    damaged[60:70] = b"\xff" * 10
    with pytest.raises(NotUnderstoodError):
        read(bytes(damaged))


def test_a_number_of_very_many_digits_is_none() -> None:
    row = {"create_time": 1, "mapping": {"a": node("user", None, text("hi"))}}
    data = json.dumps([row]).replace('"create_time": 1', f'"create_time": {"9" * 5000}').encode()
    assert read(data).conversations[0].created_ms == 0
