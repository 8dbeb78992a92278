"""The files that npulse brings along are found in a clone and in an installed package."""

from __future__ import annotations

from pathlib import Path

from tui.settings.data_files import data_folder, default_config, themes_folder


def test_in_a_clone_they_lie_at_the_top(tmp_path: Path) -> None:
    (tmp_path / "tui").mkdir()
    assert data_folder(tmp_path / "tui") == tmp_path


def test_in_a_package_they_lie_inside(tmp_path: Path) -> None:
    (tmp_path / "tui" / "data").mkdir(parents=True)
    assert data_folder(tmp_path / "tui") == tmp_path / "tui" / "data"


def test_here_they_are_there() -> None:
    assert default_config().is_file()
    assert (themes_folder() / "npulse-dark.toml").is_file()
