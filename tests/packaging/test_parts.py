"""``./dev test``: two parts, one last line, and a failure of either part is a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .clean import ROOT

pytestmark = pytest.mark.slow


TESTS = """
import pytest

def test_any(): {any}

@pytest.mark.slow
def test_long(): pass

@pytest.mark.timing
def test_clock(): {clock}
"""


ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    # What the options and the configuration need; other plugins take most of the time of a start.
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "pytest_asyncio.plugin,xdist.plugin",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def run_parts(
    folder: Path,
    *arguments: str,
    first: str = "pass",
    clock: str = "pass",
    in_workers: bool = False,
) -> tuple[int, list[str]]:
    """The exit code and the lines of a run on a file of three tests."""
    path = folder / "test_three.py"
    path.write_text(TESTS.format(any=first, clock=clock))
    command = [sys.executable, "-m", "tests", "." if in_workers else str(path)]
    outside = {name: value for name, value in os.environ.items() if "XDIST" not in name}
    done = subprocess.run(
        [*command, "-c", str(ROOT / "pyproject.toml"), *arguments],
        cwd=folder, env=outside | ENVIRONMENT,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.splitlines()


def test_timing_tests_come_last_and_the_last_line_counts_both_parts(tmp_path: Path) -> None:
    code, lines = run_parts(tmp_path)
    assert code == 0
    closing = [line.partition(" in ")[0] for line in lines if " passed" in line]
    assert closing == ["2 passed, 1 deselected", "1 passed, 2 deselected", "3 passed, 0 failed"]
    assert closing[-1] == lines[-1].partition(" in ")[0]


@pytest.mark.parametrize("failing", ["any", "clock"])
def test_a_failure_in_either_part_fails_the_whole(tmp_path: Path, failing: str) -> None:
    if failing == "any":
        code, lines = run_parts(tmp_path, first="assert False")
    else:
        code, lines = run_parts(tmp_path, clock="assert False")
    assert code == 1
    assert lines[-1].startswith("2 passed, 1 failed in ")


def test_compiled_files_are_kept(tmp_path: Path) -> None:
    code, lines = run_parts(tmp_path, first="assert not __import__('sys').dont_write_bytecode")
    assert code == 0, lines


def test_quick_leaves_out_what_is_long(tmp_path: Path) -> None:
    code, lines = run_parts(tmp_path, "--quick", clock="assert False")
    assert code == 0
    assert lines[-1].startswith("1 passed, 0 failed in ")


def test_arguments_go_to_pytest(tmp_path: Path) -> None:
    code, lines = run_parts(tmp_path, "-k", "clock")
    assert (code, lines[-1].partition(" in ")[0]) == (0, "1 passed, 0 failed")
    code, lines = run_parts(tmp_path, "-m", "slow")
    assert (code, lines[-1].partition(" in ")[0]) == (0, "1 passed, 0 failed")
    code, _ = run_parts(tmp_path, "-k", "nothing_of_that_name")
    assert code == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_broken_test_file_fails_the_whole(tmp_path: Path) -> None:
    code, lines = run_parts(tmp_path, first="(")
    assert code == pytest.ExitCode.INTERRUPTED
    assert lines[-1].startswith("0 passed, 0 failed, 1 error in ")


def test_a_test_that_only_fails_beside_others_is_named_and_does_not_fail_the_whole(
    tmp_path: Path,
) -> None:
    starved = "assert not __import__('os').environ.get('PYTEST_XDIST_WORKER')"
    code, lines = run_parts(tmp_path, in_workers=True, first=starved)
    assert (code, lines[-1].partition(" in ")[0]) == (0, "3 passed, 0 failed")
    assert lines[-2].startswith("failed beside other tests and passed alone, to be mended: ")
    assert lines[-2].endswith("test_three.py::test_any")


def test_a_test_that_fails_alone_as_well_fails_the_whole(tmp_path: Path) -> None:
    code, lines = run_parts(tmp_path, in_workers=True, first="assert False")
    assert (code, lines[-1].partition(" in ")[0]) == (1, "2 passed, 1 failed")
