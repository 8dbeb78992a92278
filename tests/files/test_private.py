"""A file that is replaced whole: for its owner alone, through no link, never half."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.files.private import write_whole


def test_no_link_is_written_through_when_a_file_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "precious"
    target.write_text("kept")
    place = tmp_path / "bench"
    place.mkdir()
    (place / f".report.md.{os.getpid()}").symlink_to(target)
    write_whole(place / "report.md", b"new")
    assert target.read_text() == "kept"
    assert (place / "report.md").read_bytes() == b"new"
    assert not (place / "report.md").is_symlink()

    # Even a name that was guessed is not written through, and what lies there stays.
    monkeypatch.setattr("secrets.token_hex", lambda _: "guessed")
    guessed = place / ".report.md.guessed"
    guessed.symlink_to(target)
    with pytest.raises(FileExistsError):
        write_whole(place / "report.md", b"newer")
    assert target.read_text() == "kept"
    assert (place / "report.md").read_bytes() == b"new"
    assert guessed.is_symlink()
