"""The cost per token of the lab's matrix screen: the process of the screen."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.figures import Results
from benchmarks.plan import Plan
from benchmarks.programs import Program
from benchmarks.session import Session, SessionError
from benchmarks.simulator import Simulator

RATE_TPS = 3.13
TOKENS = {True: 24, False: 60}
"""Tokens per answer, also in a quick run."""
MEASURED = 2
SET = """
[[prompt]]
id = "long"
text = "{{what}} [[prose]]"
max_tokens = 500
[[case]]
values = { what = "one" }
[[case]]
values = { what = "two" }
[[case]]
values = { what = "three" }
[[variant]]
id = "plain"
[[variant]]
id = "terse"
system = "Be brief."
"""
WAIT_S = 120.0


def measure(ours: Program | None, plan: Plan, results: Results) -> None:
    """Opens a running set and measures while two answers stream into its matrix."""
    if ours is None:
        return
    tokens = TOKENS[plan.is_one_session]
    for _ in range(plan.runs):
        with (
            Simulator(plan.folder, decode_tps=RATE_TPS, tokens=tokens) as simulator,
            Session(ours, simulator, plan.folder) as session,
        ):
            try:
                _measure_one(session, simulator, results)
            except (SessionError, AssertionError) as error:
                results.note(f"lab-3: {error}")


def _measure_one(session: Session, simulator: Simulator, results: Results) -> None:
    session.wait_ready()
    folder = Path(session.home) / "data" / "npulse" / "lab" / "sets"
    folder.mkdir(parents=True)
    (folder / "own.toml").write_text(SET)
    session.terminal.keys("f8")
    session.terminal.wait_for("6 requests", WAIT_S)
    known = len(simulator.log.answers())
    session.terminal.keys("enter")
    session.terminal.wait_for("running", WAIT_S)
    # The run's probe and warm-up come first; their answers are not in the matrix.
    session.terminal.wait_for("tok  ", WAIT_S)
    known = len(simulator.log.answers()) - 1
    end = time.monotonic() + WAIT_S
    while not _is_over(simulator, known + MEASURED):
        if time.monotonic() > end:
            raise SessionError("the answers of the lab did not end")
        time.sleep(0.1)
    answers = simulator.log.answers()[known : known + MEASURED]
    from_ns, to_ns = answers[0].token_ns[0], answers[-1].token_ns[-1]
    count = sum(len(answer.token_ns) for answer in answers)
    cpu_ms = session.cost.cpu_between(from_ns, to_ns) / 1e6 / count
    results.add("lab-3", session.program.name, "cpu_ms_per_token", cpu_ms)
    received = session.terminal.bytes_between(from_ns, to_ns)
    results.add("lab-3", session.program.name, "bytes_per_token", received / count)


def _is_over(simulator: Simulator, count: int) -> bool:
    answers = simulator.log.answers()
    return len(answers) >= count and answers[count - 1].finished_ns is not None
