"""./dev from a fresh clone: it works from anywhere, installs once, and names what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tui import __version__

from .clean import FOLDERS, ROOT, SOURCES, clean_environment, make_venv, run

pytestmark = pytest.mark.slow


TOOLS = ("sh", "readlink", "dirname", "cat", "cksum", "id", "find", "mkdir", "tail", "sed", "grep")
NOWHERE = "http://127.0.0.1:9/simple"
VERSION = f"npulse {__version__}\n"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in a folder whose name is not easy."""
    folder = tmp_path / "a clone [of] 'npulse'"
    folder.mkdir()
    for name in SOURCES:
        shutil.copy(ROOT / name, folder)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that can be installed into without a network."""
    pytest.importorskip("hatchling", reason="without hatchling nothing can be installed offline")
    folder = tmp_path_factory.mktemp("environment") / "venv"
    make_venv(folder)
    return folder


@pytest.fixture
def ready(clone: Path, environment: Path) -> Path:
    """A clone with such an environment; nothing is installed in it yet."""
    shutil.copytree(environment, clone / ".venv", symlinks=True)
    return clone


def _only(folder: Path, python: str | None) -> str:
    """A PATH with the tools that dev needs, and with this text as python3."""
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None, tool
        (folder / tool).symlink_to(found)
    if python is not None:
        (folder / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (folder / "python3").chmod(0o755)
    return str(folder)


def _dev(clone: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return run([clone / "dev", *args], clone.parent, clean_environment(clone.parent, **env))


def test_it_installs_once_and_starts(ready: Path) -> None:
    first = _dev(ready, "run", "--version")
    assert (first.returncode, first.stdout) == (0, VERSION), first.stderr
    assert first.stderr.startswith("dev: installing npulse into .venv, once;")
    log = ready / ".venv" / "install.log"
    log.unlink()
    again = _dev(ready, "run", "--version")
    assert (again.returncode, again.stdout, again.stderr) == (0, VERSION, "")
    assert not log.exists(), "pip was asked again"

    pyproject = ready / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + "# changed\n")
    changed = _dev(ready, "run", "--version")
    assert (changed.returncode, changed.stdout) == (0, VERSION), changed.stderr
    assert "again, because pyproject.toml or Python has changed" in changed.stderr


def test_it_works_through_links_from_elsewhere_and_after_a_move(
    ready: Path, tmp_path: Path
) -> None:
    (tmp_path / "far").mkdir()
    absolute = tmp_path / "far" / "absolute"
    absolute.symlink_to(ready / "dev")
    relative = tmp_path / "far" / "relative"
    relative.symlink_to("absolute")
    env = clean_environment(tmp_path)
    for link in (absolute, relative):
        shown = run([link, "run", "--version"], Path("/"), env)
        assert (shown.returncode, shown.stdout) == (0, VERSION), shown.stderr
    # The path of the environment is inside its programs: a clone that moved is installed again.
    moved = ready.rename(tmp_path / "moved")
    shown = _dev(moved, "run", "--version")
    assert (shown.returncode, shown.stdout) == (0, VERSION), shown.stderr


def test_two_at_once_install_once(ready: Path) -> None:
    argv = [str(ready / "dev"), "run", "--version"]
    env = clean_environment(ready.parent)
    both = [
        subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ended = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert [out for out, _ in ended] == [VERSION, VERSION]
    assert "".join(err for _, err in ended).count("dev: installing") == 1


def test_a_command_of_npulse_runs_too(ready: Path) -> None:
    shown = _dev(ready, "run", "board", "--json", "--root", str(ready))
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith('{"t_ns"')


def test_without_an_index_it_says_so_and_shows_the_end_of_the_log(clone: Path) -> None:
    shown = _dev(clone, "run", PIP_NO_BUILD_ISOLATION="1")
    assert shown.returncode == 1
    _, sentence, typed, *rest = shown.stderr.splitlines()
    assert sentence.startswith("dev: the libraries of npulse cannot be installed: pip finds no")
    assert typed.startswith("     type: ")
    assert rest
    assert all(line.startswith("     | ") for line in rest)
    assert (clone / ".venv" / "install.log").stat().st_size > 0
    assert not (clone / ".venv" / "stamp-run").exists()


def test_without_a_network_it_says_so(clone: Path) -> None:
    env = clean_environment(clone.parent, PIP_RETRIES="1", PIP_INDEX_URL=NOWHERE)
    env.pop("PIP_NO_INDEX")
    env.pop("PIP_NO_BUILD_ISOLATION")
    shown = run([clone / "dev", "run"], clone, env)
    assert shown.returncode == 1
    assert "the package index cannot be reached, so there is no network" in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    ("python", "sentence", "typed"),
    [
        (
            "echo 3.8; exit 1",
            "npulse needs Python 3.10 or newer, and the one here is 3.8.",
            "sudo apt-get install python3.11 python3.11-venv",
        ),
        (
            "exit 127",
            "npulse needs Python 3.10 or newer, and there is no Python here.",
            "sudo apt-get install python3 python3-venv",
        ),
        (
            None,
            "npulse needs Python 3.10 or newer, and there is no Python here.",
            "sudo apt-get install python3 python3-venv",
        ),
        (
            f'case $2 in *ensurepip*) exit 1;; esac; exec "{sys.executable}" "$@"',
            f"Python {sys.version_info[0]}.{sys.version_info[1]} is here, "
            "but without the modules venv and ensurepip.",
            "sudo apt-get install python3-venv",
        ),
    ],
    ids=["old", "broken", "none", "no-venv"],
)
def test_what_python_lacks_is_one_sentence_and_what_to_type(
    clone: Path, tmp_path: Path, python: str | None, sentence: str, typed: str
) -> None:
    shown = _dev(clone, "run", PATH=_only(tmp_path / "bin", python))
    assert shown.returncode == 1
    assert shown.stderr == f"dev: {sentence}\n     type: {typed}\n"


def test_a_newer_python_beside_an_old_one_is_found(ready: Path, tmp_path: Path) -> None:
    path = _only(tmp_path / "bin", "echo 3.8; exit 1")
    newer = tmp_path / "bin" / "python3.12"
    newer.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    newer.chmod(0o755)
    shown = _dev(ready, "run", "--version", PATH=path)
    assert (shown.returncode, shown.stdout) == (0, VERSION), shown.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_one_sentence(clone: Path) -> None:
    clone.chmod(0o500)
    try:
        shown = _dev(clone, "run")
    finally:
        clone.chmod(0o700)
    assert shown.returncode == 1
    sentence, typed = shown.stderr.splitlines()
    assert sentence.startswith(f"dev: the folder {clone} cannot be written by ")
    assert typed.startswith("     type: sudo chown -R ")


def test_an_unknown_command_shows_the_commands(clone: Path) -> None:
    shown = _dev(clone, "rnu")
    assert shown.returncode == 2
    assert shown.stderr.startswith("dev: there is no command rnu.\nusage: ./dev COMMAND")
    assert _dev(clone, "help").stdout.startswith("usage: ./dev COMMAND")
    assert not (clone / ".venv").exists()
