"""``./dev test``: pytest with the tests in two parts, and one line that sums them up.

Most tests wait for other processes, so they run in several workers. Tests marked ``timing`` hold a
number against a clock; they come afterwards, one on each core and two at most, with nothing else
running. ``--quick`` leaves out these and the ones marked ``slow``. Other arguments go to pytest.

Of a run in workers, a few tests that failed are run once more, alone: a test that only fails beside
others was starved by them, and is named at the end as one to mend. One that fails alone has failed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.tally import OUTCOMES

WORKERS_PER_CORE = 3
"""Two thirds of a test's time is waiting: so many workers keep the cores busy."""
MOST_TIMING_WORKERS = 2
"""Where more of them run at a time, each measures the others too."""
MOST_AGAIN = 5
"""More failures than these are not the machine's."""
ONE_PROCESS = ("--pdb", "--trace", "-s", "--capture=no", "--collect-only", "--co")
"""Options of pytest that workers cannot follow."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev test", add_help=False, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("-m", dest="mark", default="")
    ours, rest = parser.parse_known_args(arguments)
    if "-h" in rest or "--help" in rest:
        print(__doc__)
        return subprocess.call([sys.executable, "-m", "pytest", *rest])

    # Without compiled files each of the thousand starts of npulse here compiles all of it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    cores = len(os.sched_getaffinity(0))
    many = workers(rest, max(2, WORKERS_PER_CORE * cores))
    parts = [("not timing", many)]
    if ours.quick:
        all_slow = ["--not-with", "\npytestmark = pytest.mark.slow\n"]
        parts = [("not timing and not slow", [*all_slow, *many])]
    else:
        few = workers(rest, min(MOST_TIMING_WORKERS, cores))
        parts.append(("timing", ["--only-with", "pytest.mark.timing", *few]))
    started = time.monotonic()
    if many:
        compile_tests()
    total: Counter[str] = Counter()
    codes: list[int] = []
    failed: list[str] = []
    for number, (mark, more) in enumerate(parts):
        if ours.coverage:
            more = [*more, "--cov=tui", "--cov-report=", *(["--cov-append"] if number else [])]
        selected = f"({ours.mark}) and {mark}" if ours.mark else mark
        print(f"== tests: {selected} ==", flush=True)
        code, counts, names = run_part(["-m", selected, *more, *rest])
        total += counts
        codes.append(code)
        failed += names
        if code == pytest.ExitCode.INTERRUPTED:
            break
    starved: list[str] = []
    if many and set(codes) <= {0, pytest.ExitCode.TESTS_FAILED}:
        starved = passing_alone(failed)
        total += Counter(passed=len(starved))
        total -= Counter(failed=len(starved))
        if len(starved) == len(failed):
            codes = [0]
    if ours.coverage:
        subprocess.call([sys.executable, "-m", "coverage", "report"])
    for name in starved:
        print(f"failed beside other tests and passed alone, to be mended: {name}")
    print(closing_line(total, time.monotonic() - started))
    return verdict(codes)


def workers(arguments: Sequence[str], count: int) -> list[str]:
    """The options for so many workers; none where single files or a debugger are asked for."""
    for argument in arguments:
        if argument in ONE_PROCESS or argument.partition("::")[0].endswith(".py"):
            return []
    return ["-n", str(count), "--dist", "worksteal"]


def compile_tests() -> None:
    """In a clean checkout each worker would compile all tests, at the same time as the others."""
    if not any(Path(__file__).parent.rglob("*-pytest-*.pyc")):
        command = [sys.executable, "-m", "pytest", "-qq", "--collect-only"]
        subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run_part(arguments: Sequence[str]) -> tuple[int, Counter[str], list[str]]:
    """Pytest's exit code, how many tests had which outcome, and the names of those that failed."""
    with tempfile.TemporaryDirectory() as folder:
        tally = Path(folder) / "tally.json"
        command = [sys.executable, "-m", "pytest", "-p", "tests.tally", "--tally", str(tally)]
        code = subprocess.call([*command, *arguments])
        if not tally.exists():
            return code, Counter(), []
        told = json.loads(tally.read_text())
        return code, Counter(told["counts"]), told["failed"]


def passing_alone(failed: Sequence[str]) -> list[str]:
    """Those of a few failed tests that pass when each is run again with nothing beside it."""
    if not 0 < len(failed) <= MOST_AGAIN:
        return []
    print(f"== tests: {len(failed)} that failed, again and alone ==", flush=True)
    return [name for name in failed if run_part([name])[0] == 0]


def closing_line(total: Counter[str], seconds: float) -> str:
    """Of all parts together, in the form of pytest's own last line."""
    always = ("passed", "failed")
    said = [f"{total[name]} {name}" for name in OUTCOMES if total[name] or name in always]
    return f"{', '.join(said)} in {seconds:.2f}s"


def verdict(codes: Sequence[int]) -> int:
    """The first exit code that is an error; a part without tests counts only where all are."""
    if all(code == pytest.ExitCode.NO_TESTS_COLLECTED for code in codes):
        return pytest.ExitCode.NO_TESTS_COLLECTED
    return next((code for code in codes if code not in (0, pytest.ExitCode.NO_TESTS_COLLECTED)), 0)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
