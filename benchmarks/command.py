"""The command line: which scenarios to measure, how often, and where to write the figures."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import (
    answers,
    echo,
    exporting,
    fleet,
    focus,
    history,
    idle,
    lab,
    neighbour,
    plan,
    programs,
    report,
    sampling,
    screens,
    sharing,
    startup,
    tapping,
    timeline,
    timing,
)
from benchmarks.figures import Results
from benchmarks.machine import describe
from benchmarks.simulator import SimulatorError

RESULTS = Path(__file__).parent / "results.md"
_RESULTS_HEAD = "# Results of full runs, newest first\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures what npulse costs as a whole process, in a real pty of 120x40, "
        "beside small Textual programs that do the same job.",
    )
    parser.add_argument("--quick", action="store_true", help="short answers; under two minutes")
    parser.add_argument("--runs", type=int, metavar="N", help="repetitions (3; with --quick 1)")
    parser.add_argument("--only", metavar="NAME,...", help="only these scenarios (see --list)")
    parser.add_argument("--list", action="store_true", help="list the scenarios and exit")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all results to FILE")
    parser.add_argument(
        "--save", action="store_true", help="add the table to benchmarks/results.md"
    )
    return parser


@dataclass(frozen=True, slots=True)
class Part:
    """Scenarios that are measured together."""

    name: str
    scenarios: tuple[str, ...]
    measure: Callable[[], None]
    is_in_quick: bool = True
    """Whether a quick run includes it by default."""


def _parts(
    chosen: plan.Plan, ours: programs.Program | None, only: set[str], results: Results
) -> list[Part]:
    """All parts in order; if ``only`` names answers, only those of them."""
    asked = [a for a in chosen.answers if not only or a.name in only]
    return [
        Part("start", ("start",), lambda: startup.measure(ours, chosen, results)),
        Part("sampler", ("sampler",), lambda: sampling.measure(chosen, results)),
        Part(
            "history",
            ("history", "history-3", "history-50"),
            lambda: history.measure(chosen, results),
            is_in_quick=False,
        ),
        Part("exporter", ("exporter",), lambda: exporting.measure(chosen, results)),
        Part("tap", tapping.SCENARIOS, lambda: tapping.measure(chosen, only, results)),
        Part(
            "fleet",
            ("fleet",),
            lambda: fleet.measure(ours, chosen, results),
            is_in_quick=False,
        ),
        Part(
            "shared",
            (sharing.SCENARIO,),
            lambda: sharing.measure(chosen, results),
            is_in_quick=False,
        ),
        Part(
            "screens",
            screens.SCENARIOS,
            lambda: screens.measure(ours, chosen, results),
            is_in_quick=False,
        ),
        Part(
            "focus",
            focus.SCENARIOS,
            lambda: focus.measure(ours, chosen, results),
            is_in_quick=False,
        ),
        Part(
            "echo",
            tuple(echo.PROMPT),
            lambda: echo.measure(ours, chosen, echo.PROMPT, results),
        ),
        Part(
            "echo-others",
            tuple(echo.OTHERS),
            lambda: echo.measure(ours, chosen, echo.OTHERS, results),
            is_in_quick=False,
        ),
        Part("idle", ("idle",), lambda: idle.measure(ours, chosen, results)),
        Part(
            "answers",
            tuple(a.name for a in chosen.answers),
            lambda: answers.measure(ours, chosen, asked, results),
        ),
        Part("lab", ("lab-3",), lambda: lab.measure(ours, chosen, results), is_in_quick=False),
        Part(
            "timeline",
            (timeline.SCENARIO,),
            lambda: timeline.measure(ours, chosen, results),
            is_in_quick=False,
        ),
        Part(
            "timeline-hour",
            (timeline.HOUR,),
            lambda: timeline.measure_hour(ours, chosen, results),
            is_in_quick=False,
        ),
        Part("memory", ("memory",), lambda: answers.measure_memory(ours, chosen, results)),
        Part(
            "neighbour",
            ("neighbour",),
            lambda: neighbour.measure(ours, chosen, results),
            is_in_quick=False,
        ),
        Part("timing", ("timing",), lambda: timing.measure(ours, chosen, results)),
        Part("dialects", ("dialects",), lambda: timing.measure_dialects(ours, chosen, results)),
    ]


def _selected(text: str | None, known: Sequence[str]) -> set[str]:
    """The scenarios named by ``--only``. Raises ValueError for one that does not exist."""
    only = {name.strip() for name in (text or "").split(",") if name.strip()}
    if unknown := sorted(only - set(known)):
        raise ValueError(f"no scenario {unknown[0]!r}; there are {', '.join(known)}")
    return only


def main(argv: Sequence[str]) -> int:
    """Returns 0 after a run, also if a budget was exceeded; 2 for a wrong argument or no
    simulator."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.runs is not None and options.runs < 1:
        parser.error("--runs takes a number from 1 on")
    with tempfile.TemporaryDirectory(prefix="npulse-bench-") as name:
        make = plan.quick if options.quick else plan.full
        chosen = make(Path(name), options.runs or (1 if options.quick else 3))
        results = Results()
        names = [n for part in _parts(chosen, None, set(), results) for n in part.scenarios]
        if options.list:
            print("\n".join(names))
            return 0
        try:
            only = _selected(options.only, names)
        except ValueError as error:
            parser.error(str(error))
        machine = describe()
        try:
            _run(chosen, only, results, is_quick=options.quick)
        except SimulatorError as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            return 2
    command = shlex.join(["./dev", "bench", *argv])
    print(report.plain(results, machine))
    print(f"\n{report.summary(results)}")
    if options.json:
        text = json.dumps(report.as_json(results, machine, command), indent=1)
        options.json.write_text(text + "\n")
    if options.save:
        _save(report.markdown(results, machine, command))
    return 0


def _run(chosen: plan.Plan, only: set[str], results: Results, *, is_quick: bool) -> None:
    ours = programs.npulse()
    if ours is None:
        results.note("npulse is not installed in this environment; only the references ran")
    for part in _parts(chosen, ours, only, results):
        if only and only.isdisjoint(part.scenarios):
            continue
        if is_quick and not only and not part.is_in_quick:
            results.note(f"{part.name}: takes minutes to rise above the noise; not in a quick run")
            continue
        begun = time.monotonic()
        print(f"{part.name} ...", end=" ", file=sys.stderr, flush=True)
        part.measure()
        print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


def _save(section: str) -> None:
    """Insert a section before the existing ones."""
    before = RESULTS.read_text() if RESULTS.exists() else _RESULTS_HEAD
    head, _, rest = before.partition("\n")
    RESULTS.write_text(f"{head}\n\n{section}\n{rest.lstrip()}")
