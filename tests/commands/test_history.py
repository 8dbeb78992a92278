"""``npulse history`` as a script meets it: a real process on a real database."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.app.npulse import REPOSITORY, environment
from tests.commands.test_ask import ask
from tests.history.made import DEAD, ORIGIN, add_exchange, begin, end
from tests.sim.simulator import running as simulator
from tui.core.types import TurnError
from tui.history import writing
from tui.history.database import FILE_NAME, open_for_writing, transaction
from tui.history.records import Origin
from tui.history.token_times import pack_times

EVIL = "\x1b]52;c;aGk=\x07\x9b2J\u202eevil"
DATA = Path(__file__).parent / "data"


def history(
    home: Path, *arguments: str, encoding: str = "utf-8", **env: str
) -> tuple[int, str, str]:
    variables = {k: v for k, v in environment(home).items() if v is not None} | env
    done = subprocess.run(
        [sys.executable, "-m", "tui", "history", *arguments],
        capture_output=True, cwd=REPOSITORY, env=variables, timeout=60, check=False,
    )  # fmt: skip
    out, err = done.stdout.decode(encoding), done.stderr.decode()
    assert "Traceback" not in err
    assert not set(out + err) & set("\x1b\x07\x9b\u202e")
    return done.returncode, out, err


def said(home: Path, *arguments: str) -> Any:
    code, out, err = history(home, *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def database(home: Path) -> Path:
    return home / "data" / "npulse" / "history" / FILE_NAME


def opened(home: Path) -> sqlite3.Connection:
    return open_for_writing(database(home))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three conversations: one with branches, one that was cut by a killed npulse, an evil one."""
    with closing(opened(tmp_path)) as connection:
        number, asked, first = add_exchange(connection, "why is decode memory-bound?", "Because")
        add_exchange(connection, "and prefill?", "not", conversation=number, parent=first)
        with transaction(connection):
            again = begin(connection, number, asked)
            cut = TurnError("cut", "The connection was cut.")
            writing.finish_answer(connection, again, end("=SUM(A1)", [], "interrupted", cut, 3))
            number = writing.add_conversation(connection, "cut", 1_700_000_000_000)
            asked = writing.add_turn(connection, number, None, "user", "=cmd()", 0)
            left = begin(connection, number, asked, by=DEAD)
        writing.add_piece(connection, left, "half", "", pack_times(0, [10**9, 2 * 10**9]))
        number, _, _ = add_exchange(connection, EVIL, f"{EVIL} bandwidth", origin=Origin(EVIL))
        # As an older npulse, or another program, may have left it.
        connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (EVIL, number))
        connection.execute(
            "UPDATE bodies SET text = ? WHERE text LIKE '%wid%'", (f"{EVIL} bandwidth",)
        )
    return tmp_path


def test_the_list(home: Path) -> None:
    rows = said(home, "list")
    assert [set(row) for row in rows] == [
        {"id", "title", "created", "model", "turns", "tokens"}
    ] * 3
    assert [row["id"] for row in rows] == [3, 2, 1]
    assert rows[2] == {
        "id": 1, "title": "why is decode memory-bound?", "created": "2023-11-14T22:13:20Z",
        "model": "qwen3-4b", "turns": 5, "tokens": 27,
    }  # fmt: skip
    assert [row["id"] for row in said(home, "list", "--limit", "1")] == [3]
    code, out, _ = history(home, "--json", "list")
    assert (code, json.loads(out)) == (0, rows)
    code, out, _ = history(home, "list")
    assert code == 0
    assert len(out.splitlines()) == 3
    assert "why is decode memory-bound?" in out


def test_a_conversation_and_all_of_its_branches(home: Path) -> None:
    shown = said(home, "show", "1")
    assert set(shown) == {"id", "title", "turns"}
    keys = {"id", "parent", "role", "text", "thinking", "status", "error", "numbers"}
    assert [set(turn) for turn in shown["turns"]] == [keys] * 2
    asked, answer = shown["turns"]
    assert (asked["parent"], asked["status"], asked["numbers"]) == (None, None, None)
    assert (answer["parent"], answer["status"]) == (asked["id"], "interrupted")
    assert answer["error"] == "The connection was cut."
    assert answer["numbers"]["ttft_ms"] == 1250.0
    assert len(said(home, "show", "1", "--tree")["turns"]) == 5
    assert said(home, "show", "last")["id"] == 3
    code, out, _ = history(home, "show", "1")
    assert code == 0
    assert "[interrupted] The connection was cut." in out


def test_what_a_killed_npulse_left_is_interrupted(home: Path) -> None:
    answer = said(home, "show", "2")["turns"][1]
    assert (answer["text"], answer["status"]) == ("half", "interrupted")
    assert "interrupted after 2 tokens" in answer["error"]


def test_search(home: Path) -> None:
    (hit,) = said(home, "search", "memory", "bound")
    assert (hit["id"], hit["role"]) == (1, "user")
    assert "memory-bound" in hit["snippet"]
    assert said(home, "search", "absent") == []
    assert said(home, "search", "=") == []
    code, out, _ = history(home, "search", "bandwidth")
    assert code == 0
    assert "bandwidth" in out


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_nothing_that_is_stored_reaches_the_terminal_raw(home: Path, encoding: str) -> None:
    env = {"PYTHONIOENCODING": encoding}
    for words in (
        ("list",), ("show", "3"), ("show", "3", "--json"), ("list", "--json"), ("check",),
        ("search", "bandwidth", "--json"), ("export", "3"), ("export", "3", "--format", "json"),
        ("export", "3", "--format", "html"), ("export", "3", "--format", "csv"),
    ):  # fmt: skip
        code, _, _ = history(home, *words, **env)
        assert code == 0, words


@pytest.mark.parametrize(
    "words",
    [
        ("show", "99"), ("show", "x"), ("show", "-1"), ("show", "9" * 50), ("show", ""),
        ("export", "99"), ("list", "--limit", "-1"), ("import", "/nowhere"), ("nonsense",), (),
        ("show",), ("export", "1", "--format", "pdf"), ("prune", "--max-age-days", "x"),
        ("export", "1", "-o", "/proc/none/x.md"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(home: Path, words: tuple[str, ...]) -> None:
    code, out, err = history(home, *words)
    assert (code, out) == (2, "")
    assert err.startswith("npulse history")
    assert err.count("\n") == 1


def test_without_a_history_there_is_nothing_and_nothing_is_made(tmp_path: Path) -> None:
    assert said(tmp_path, "list") == []
    assert said(tmp_path, "search", "x") == []
    assert said(tmp_path, "prune")["conversations"] == []
    for words in (("show", "1"), ("export",), ("check",)):
        code, out, err = history(tmp_path, *words)
        assert (code, out) == (1, "")
        assert "nothing is kept yet" in err
    assert not database(tmp_path).exists()


def test_a_newer_database_is_refused_and_left_untouched(home: Path) -> None:
    with closing(sqlite3.connect(database(home))) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = database(home).read_bytes()
    for words in (("list",), ("show", "1"), ("import", __file__), ("prune", "--yes"), ("check",)):
        code, out, err = history(home, *words)
        assert (code, out) == (1, "")
        assert "newer npulse" in err
    assert database(home).read_bytes() == before


def test_check(home: Path) -> None:
    found = said(home, "check")
    assert found["is_sound"]
    assert (found["conversations"], found["turns"], found["problems"]) == (3, 9, [])
    with closing(opened(home)) as connection:
        connection.execute("UPDATE traces SET times = x'80' WHERE turn = 2")
    code, out, err = history(home, "check", "--json")
    assert code == 1
    assert json.loads(out)["problems"] == ["the times of turn 2 are damaged"]
    assert "export" in err


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_damaged_file_is_told(home: Path, share: float) -> None:
    path = database(home)
    data = bytearray(path.read_bytes())
    at = int(len(data) * share)
    data[at : at + 6000] = b"\xa5" * len(data[at : at + 6000])
    path.write_bytes(data)
    code, _, err = history(home, "check")
    assert code == 1
    assert "damaged" in err
    for words in (("list",), ("show", "1"), ("search", "memory"), ("export",)):
        assert history(home, *words)[0] in (0, 1)


# -- export and import -----------------------------------------------------------------------------


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
        (b"[]", "no export"),
        (b'{"a": 1}', "no export"),
        (b"[1, null]", "no export"),
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


# -- prune -----------------------------------------------------------------------------------------


def test_prune_says_what_goes_and_removes_it_when_told(home: Path) -> None:
    assert said(home, "prune") == {"is_removed": False, "conversations": []}
    assert "no limit is set" in history(home, "prune")[1]
    with closing(opened(home)) as connection, transaction(connection):
        writing.set_pinned(connection, 3, True)
        writing.delete(connection, 2, 0)
    planned = said(home, "prune", "--max-age-days", "30")
    assert [(c["id"], c["reason"]) for c in planned["conversations"]] == [
        (1, "too old"), (2, "deleted"),
    ]  # fmt: skip
    assert len(said(home, "list")) == 2
    code, out, _ = history(home, "prune", NPULSE_HISTORY__MAX_AGE_DAYS="30")
    assert code == 0
    assert "--yes" in out
    removed = said(home, "prune", "--max-age-days", "30", "--yes")
    assert removed["is_removed"]
    assert [row["id"] for row in said(home, "list")] == [3]
    assert said(home, "check")["is_sound"]


def test_prune_by_size_takes_the_oldest(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as connection:
        for number in range(40):
            words = " ".join(f"w{number}x{n}" for n in range(12_000))
            add_exchange(connection, f"prompt {number}", words, created_ms=10**12 - number)
    before = database(tmp_path).stat().st_size
    assert before > 4 << 20
    said(tmp_path, "prune", "--max-size-mib", "2", "--yes")
    kept = [row["title"] for row in said(tmp_path, "list")]
    assert kept
    assert kept == [f"prompt {number}" for number in range(40)][::-1][: len(kept)]
    assert database(tmp_path).stat().st_size <= (2 << 20) * 1.3
    assert ORIGIN.model == said(tmp_path, "list")[0]["model"]


def test_an_answer_is_shown_in_time(home: Path, tmp_path: Path) -> None:
    with simulator("--decode-tps", "60", "--prefill-tps", "500") as board:
        ask(home, "hello [[tokens=40]]", "--url", board.url)
    code, out, err = history(home, "show", "last", "--timeline")
    assert (code, err) == (0, "")
    assert "SIMULATED, complete" in out
    assert "prefill" in out
    assert "Rate by sections" in out
    code, out, _ = history(home, "show", "last", "--timeline", "--json")
    assert len(json.loads(out)["chunks"]["times_ms"]) == 40
    picture = tmp_path / "a.svg"
    assert history(home, "show", "last", "--timeline", "--svg", str(picture))[0] == 0
    assert picture.read_text().startswith("<svg ")
    code, _, err = history(home, "show", "last", "--timeline", "--svg", str(picture))
    assert (code, err.count("\n")) == (2, 1)
    assert "is there already" in err
    for wrong in (["--svg", "x"], ["--turn", "2"], ["--timeline", "--turn", "1"]):
        code, _, err = history(home, "show", "last", *wrong)
        assert (code, err.count("\n")) == (2, 1)
