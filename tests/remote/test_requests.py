"""Questions and answers of the loop: any bytes in any pieces, and what a real shell says."""

from __future__ import annotations

import errno
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.remote.requests import END, MAX_LINES, AnswerReader, Kind, Request, loop_script

KINDS: list[Kind] = ["R", "C", "Z", "I", "A", "N", "L", "E", "P"]
lines = st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=5)


@given(st.lists(lines | st.sampled_from([2, 13, 999]), max_size=6), st.data())
def test_answers_in_any_pieces(said: list[list[bytes] | int], data: st.DataObject) -> None:
    wire = b""
    for answer in said:
        if isinstance(answer, int):
            wire += b"!%d\n" % answer
        else:
            wire += b"".join(b"|" + line + b"\n" for line in answer)
        wire += b";\n"
    reader = AnswerReader(["R"] * len(said))
    while wire:
        size = data.draw(st.integers(1, len(wire)))
        reader.feed(wire[:size])
        wire = wire[size:]
    assert reader.is_whole
    for answer, found in zip(said, reader.answers, strict=True):
        if isinstance(answer, int):
            assert found.data is None
            assert found.error == (answer if answer in (2, 13) else errno.EIO)
        else:
            assert found.data == b"".join(line + b"\n" for line in answer)


@given(st.binary(max_size=200), st.integers(0, 3))
def test_any_bytes_are_answers_or_one_error(data: bytes, count: int) -> None:
    reader = AnswerReader(["R"] * count)
    said = ""
    try:
        reader.feed(data)
    except ValueError as error:
        said = str(error)
    assert len(reader.answers) <= count
    assert "\n" not in said


def test_an_answer_without_end_is_refused() -> None:
    reader = AnswerReader(["A"])
    reader.feed(b"|" + b"x" * 8_000_000 + b"\n")
    with pytest.raises(ValueError, match="too long"):
        reader.feed(b"|" + b"x" * 500_000)


@pytest.mark.parametrize("path", ["", "proc/stat", "/a\nR /b", "/a\0"])
def test_a_path_that_no_line_holds_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="invalid path"):
        _ = Request("R", path).line


SHELLS = [
    pytest.param(words, marks=pytest.mark.skipif(not shutil.which(words[0]), reason="not here"))
    for words in (
        ["sh", "-c"],
        ["dash", "-c"],
        ["bash", "-c"],
        ["busybox", "sh", "-c"],
        ["zsh", "-c"],
    )
]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_reads_what_is_there(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"one\n  two \\n %s $HOME\n\nlast without end")
    (tmp_path / "words").write_bytes(b"python\0-m\0a\nb\0")
    (tmp_path / "long").write_text("".join(f"{n}\n" for n in range(1000)))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / ".hidden").touch()
    (tmp_path / "folder" / "it's here").touch()
    (tmp_path / "link").symlink_to("/somewhere/else")
    questions: list[tuple[Kind, str]] = [
        ("R", "plain"),
        ("Z", "words"),
        ("R", "long"),
        ("A", "long"),
        ("N", "folder"),
        ("N", "nothing"),
        ("L", "link"),
        ("L", "plain"),
        ("E", "plain"),
        ("E", "nothing"),
        ("R", "folder"),
        ("R", "nothing/below"),
        ("R", "$(touch pwned)"),
    ]
    requests = [Request(kind, f"{tmp_path}/{name}") for kind, name in questions]
    wire = b"".join(one.line for one in requests) + END
    done = subprocess.run(
        [*shell, loop_script()], input=wire, capture_output=True, timeout=30, cwd=tmp_path
    )
    assert done.stderr == b""
    reader = AnswerReader([one.kind for one in requests])
    reader.feed(done.stdout)
    plain, words, long, whole, names, *rest = reader.answers
    assert plain.data == b"one\n  two \\n %s $HOME\n\nlast without end\n"
    assert words.data is not None
    assert words.data.startswith(b"python\0-m\0a\nb\0")
    assert long.data == b"".join(b"%d\n" % n for n in range(MAX_LINES))
    assert whole.data == b"".join(b"%d\n" % n for n in range(1000)) + b"\n"
    assert sorted((names.data or b"").splitlines()) == [b".hidden", b"it's here"]
    assert [answer.error for answer in rest] == [
        errno.ENOENT,
        None,
        errno.EINVAL,
        None,
        errno.ENOENT,
        errno.EISDIR,
        errno.ENOENT,
        errno.ENOENT,
    ]
    assert rest[1].data == b"/somewhere/else\n"
    assert not (tmp_path / "pwned").exists()
