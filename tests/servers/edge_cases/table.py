"""The table of edge cases and dialects at the end of a test run. A pytest plugin."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.servers.edge_cases.cases import CASES, DIALECTS, not_applicable

PROPERTY = "edge case"
SHORT = {
    "rockchipllama": "RL", "rkllama": "RK", "orkllm": "OR", "rkllm-api-server": "GK",
    "rkllm-demo": "FD", "rkllm-chat": "FL", "llama.cpp": "LC", "ollama": "OL", "rkllm": "RF",
    "openai": "OA",
}  # fmt: skip


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which cells were run, and why the others were not; nothing where no cell was run."""
    outcomes: dict[tuple[int, str], set[str]] = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.getreports(outcome):
            for name, value in getattr(report, "user_properties", ()):
                if name == PROPERTY:
                    case, _, dialect = value.partition(" ")
                    outcomes.setdefault((int(case), dialect), set()).add(outcome)
    if outcomes:
        terminalreporter.section("edge cases of the protocols, in each dialect")
        for line in lines(outcomes):
            terminalreporter.write_line(line)


def lines(outcomes: dict[tuple[int, str], set[str]]) -> Iterable[str]:
    """The table: ``ok``, ``FAIL``, a letter for a reason, or a dot for what was not selected."""
    reasons: dict[str, str] = {}
    width = max(len(title) for title in CASES.values())
    yield " " * (width + 5) + "  ".join(f"{SHORT[dialect]:>4}" for dialect in DIALECTS)
    for case, title in CASES.items():
        cells = []
        for dialect in DIALECTS:
            reason, found = not_applicable(case, dialect), outcomes.get((case, dialect))
            if found:
                cells.append("ok" if found == {"passed"} else "FAIL")
            elif reason:
                cells.append(reasons.setdefault(reason, chr(ord("a") + len(reasons))))
            else:
                cells.append(".")
        yield f"{case:>3}  {title:<{width}}" + "  ".join(f"{cell:>4}" for cell in cells)
    yield ""
    yield "; ".join(f"{short} {dialect}" for dialect, short in SHORT.items())
    for reason, letter in reasons.items():
        yield f"{letter}  not applicable: {reason}"
