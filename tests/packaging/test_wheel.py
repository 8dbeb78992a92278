"""The wheel, installed in a clean environment outside the clone, is a whole npulse."""

from __future__ import annotations

import json
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tui import __version__

from .clean import ROOT, clean_environment, make_venv, run

pytestmark = pytest.mark.slow


pytest.importorskip("hatchling", reason="without hatchling no wheel can be built here")

SHOW = """
import json
import tui
from tui.settings.config import config_paths, load
from tui.app.themes import load_themes
themes = load_themes()
config = load(config_paths(), {})
print(json.dumps({
    "package": tui.__file__,
    "themes": sorted(themes.by_name),
    "problems": themes.problems,
    "warnings": config.warnings,
    "shipped": str(config_paths().shipped),
    "theme": config.settings.ui.theme,
}))
"""


def _build(source: Path, into: Path, home: Path) -> Path:
    argv: list[str | Path] = [sys.executable, "-m", "pip", "wheel", "--no-deps"]
    argv += ["--no-build-isolation", "--wheel-dir", into, source]
    built = run(argv, home, clean_environment(home))
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = into.glob("npulse-*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    return _build(ROOT, folder / "wheels", folder)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a clean environment with that wheel."""
    folder = tmp_path_factory.mktemp("clean")
    python = make_venv(folder / "venv")
    argv: list[str | Path] = [python, "-m", "pip", "install", "--no-deps", wheel]
    done = run(argv, folder, clean_environment(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return python.parent


def test_it_holds_the_package_its_data_and_its_licence_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names} == {"tui", f"npulse-{__version__}.dist-info"}
    themes = {f"tui/data/themes/{path.name}" for path in (ROOT / "themes").iterdir()}
    assert {"tui/py.typed", "tui/data/config.toml", *themes} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "tui").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules


def test_the_command_says_its_version(installed: Path, tmp_path: Path) -> None:
    shown = run([installed / "npulse", "--version"], tmp_path, clean_environment(tmp_path))
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, f"npulse {__version__}\n", "")


def test_themes_and_config_are_the_ones_in_the_package(installed: Path, tmp_path: Path) -> None:
    shown = run([installed / "python", "-c", SHOW], tmp_path, clean_environment(tmp_path))
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    package = Path(found["package"]).parent
    assert package.is_relative_to(installed.parent)
    assert found["shipped"] == str(package / "data" / "config.toml")
    assert found["themes"] == sorted(path.stem for path in (ROOT / "themes").iterdir())
    assert found["problems"] == found["warnings"] == []
    assert found["theme"] == "npulse-dark"


def test_a_command_without_a_screen_runs_there(installed: Path, tmp_path: Path) -> None:
    argv: list[str | Path] = [installed / "npulse", "board", "--json", "--root", tmp_path]
    shown = run(argv, tmp_path, clean_environment(tmp_path))
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["readings"]["npu.load"]["value"] is None


def test_a_wheel_from_the_source_archive_is_the_same(wheel: Path, tmp_path: Path) -> None:
    argv: list[str | Path] = [sys.executable, "-m", "hatchling", "build", "-t", "sdist"]
    built = run([*argv, "-d", tmp_path / "sdist"], ROOT, clean_environment(tmp_path))
    assert built.returncode == 0, built.stdout + built.stderr
    (archive,) = (tmp_path / "sdist").glob("npulse-*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {"config.toml", "LICENSE", "README.md", "CHANGELOG.md", "tui/cli.py"} <= names
    again = _build(archive, tmp_path / "wheels", tmp_path)
    assert zipfile.ZipFile(again).namelist() == zipfile.ZipFile(wheel).namelist()
