"""``npulse history export`` and ``import`` as a script meets them."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.commands.histories import history, opened, said
from tui.history import writing
from tui.history.database import transaction

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "data"


def test_markdown_has_front_matter(home: Path) -> None:
    code, out, _ = history(home, "export", "1")
    assert code == 0
    head, _, body = out.removeprefix("---\n").partition("---\n")
    assert 'title: "why is decode memory-bound?"' in head
    assert 'models: ["qwen3-4b"]' in head
    assert "tokens: 3" in head
    assert "## You\n\nwhy is decode memory-bound?\n" in body
    assert "## qwen3-4b\n\n=SUM(A1)\n" in body
    assert "*interrupted. The connection was cut.*" in body


def test_a_csv_cell_never_is_a_formula(home: Path) -> None:
    with closing(opened(home)) as connection, transaction(connection):
        writing.rename(connection, 1, "=HYPERLINK(1)")
        writing.rename(connection, 2, " -1+cmd|' /C calc'!A0")
        writing.rename(connection, 3, "@SUM(1)")
    code, out, _ = history(home, "export", "--format", "csv", "--tree")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 5
    assert {row["title"] for row in rows} == {
        "'=HYPERLINK(1)", "'-1+cmd|' /C calc'!A0", "'@SUM(1)",
    }  # fmt: skip
    assert rows[0]["ttft_ms"] == "1250.0"
    assert rows[0]["prefill_ms"] == ""
    for row in rows:
        assert not any((value or "").startswith(("=", "+", "@", "\t")) for value in row.values())


def test_files_are_private_whole_and_never_replaced_by_accident(home: Path) -> None:
    before = os.umask(0)
    try:
        code, out, _ = history(home, "export", "-o", str(home / "new" / "folder") + "/")
        assert code == 0
    finally:
        os.umask(before)
    files = sorted((home / "new" / "folder").iterdir())
    assert len(files) == 3
    assert files[0].name == "1-why-is-decode-memory-bound.md"
    assert sorted(out.splitlines()) == sorted(map(str, files))
    for path in (home / "new", home / "new" / "folder", *files):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    target = home / "one.html"
    assert history(home, "export", "1", "-o", str(target))[0] == 0
    assert target.read_text().startswith("<!DOCTYPE html>")
    target.write_text("mine")
    code, _, err = history(home, "export", "1", "-o", str(target))
    assert code == 2
    assert "--force" in err
    assert target.read_text() == "mine"
    assert history(home, "export", "1", "-o", str(target), "--force")[0] == 0
    assert "<script" not in target.read_text()


@pytest.mark.parametrize(
    "title", ["../../etc/passwd", "..", "/", "CON", "a/b\\c:d", "." * 300, "名" * 200]
)
def test_titles_are_safe_file_names(home: Path, title: str) -> None:
    with closing(opened(home)) as connection, transaction(connection):
        connection.execute("UPDATE conversations SET title = ? WHERE id = 1", (title,))
    folder = home / "out"
    folder.mkdir()
    assert history(home, "export", "1", "-o", str(folder))[0] == 0
    (path,) = folder.iterdir()
    assert path.parent == folder
    assert path.suffix == ".md"
    assert not path.name.startswith((".", "-"))


def test_our_json_comes_back_in_another_home(home: Path, tmp_path: Path) -> None:
    exported = tmp_path / "all.json"
    assert history(home, "export", "-o", str(exported))[0] == 0
    other = tmp_path / "other"
    (outcome,) = said(other, "import", str(exported))
    assert outcome == {
        "file": str(exported), "kind": "npulse", "added": 3, "known": 0, "skipped": 0,
        "problem": None,
    }  # fmt: skip
    for number in (1, 2):
        for flags in ((), ("--tree",)):
            here, there = (said(place, "show", str(number), *flags) for place in (home, other))
            assert renumbered(there) == renumbered(here)
    (outcome,) = said(other, "import", str(exported))
    assert (outcome["added"], outcome["known"]) == (0, 3)
    assert said(other, "check")["is_sound"]
    assert said(other, "search", "memory")
    again = tmp_path / "again.json"
    assert history(other, "export", "-o", str(again))[0] == 0
    assert len(json.loads(again.read_text())["conversations"]) == 3


def renumbered(shown: dict[str, Any]) -> dict[str, Any]:
    """Ids are a database's own: count them from 0."""
    places = {turn["id"]: place for place, turn in enumerate(shown["turns"])}
    for turn in shown["turns"]:
        turn["id"], turn["parent"] = places[turn["id"]], places.get(turn["parent"])
    return shown


@pytest.mark.parametrize(
    ("name", "kind", "turns"),
    [
        ("chatgpt.json", "ChatGPT", ["Hello", "Hi there", "And now?", "Now this"]),
        ("open_webui.json", "Open WebUI", ["Hello", "Another hi"]),
    ],
)
def test_exports_of_others(tmp_path: Path, name: str, kind: str, turns: list[str]) -> None:
    (outcome,) = said_at_least(tmp_path, "import", str(DATA / name))
    assert (outcome["kind"], outcome["added"], outcome["skipped"]) == (kind, 1, 1)
    (row,) = said(tmp_path, "list")
    assert row["title"] == "A greeting"
    assert row["created"] == "2024-02-03T04:05:06Z"
    assert row["model"] == {"ChatGPT": "gpt-4", "Open WebUI": "qwen3:4b"}[kind]
    shown = said(tmp_path, "show", str(row["id"]))
    assert [turn["text"] for turn in shown["turns"]] == turns
    parents = [turn["parent"] for turn in shown["turns"]]
    assert parents == [None, *(turn["id"] for turn in shown["turns"][:-1])]
    (outcome,) = said_at_least(tmp_path, "import", str(DATA / name))
    assert (outcome["added"], outcome["known"]) == (0, 1)


def said_at_least(home: Path, *arguments: str) -> Any:
    """Also where a part could not be done."""
    code, out, _ = history(home, *arguments, "--json")
    assert code in (0, 4)
    return json.loads(out)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[" * 100_000, "JSON"),
        (b"[]", "not an export"),
        (b'{"a": 1}', "not an export"),
        (b"[1, null]", "not an export"),
        (b'{"format": "npulse-history/2", "conversations": []}', "newer npulse"),
        (b'{"format": "npulse-history/1", "conversations": 7}', "no list"),
    ],
)
def test_files_that_are_no_export(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(data)
    code, out, err = history(tmp_path, "import", str(path))
    assert (code, out) == (2, "")
    assert why in err
    assert err.count("\n") == 1


def test_a_pipe_or_a_folder_is_no_export(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        code, _, err = history(tmp_path, "import", str(path))
        assert code == 2
        assert err.count("\n") == 1
