"""The cost of a streaming answer: processor time, bytes, growth, lag, memory."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.figures import Results, quantile
from benchmarks.plan import AnswerPlan, Plan
from benchmarks.process_cost import rss_bytes
from benchmarks.programs import LOG, Program
from benchmarks.session import AnswerRun, Session, SessionError
from benchmarks.simulator import Simulator

LEAST_GROWTH_S = 15.0
"""The quarters of a shorter answer differ by whether a second's figures fall into them."""


def _ask(session: Session, answer: AnswerPlan) -> AnswerRun:
    seconds = answer.tokens / answer.rate_tps * 1.5 + 30
    has_lags = session.program is not LOG
    return session.ask(answer.prompt, seconds=seconds, drain=answer.drain_s, has_lags=has_lags)


def _record(run: AnswerRun, answer: AnswerPlan, program: Program, results: Results) -> None:
    def add(kind: str, value: float | None) -> None:
        results.add(answer.name, program.name, kind, value)

    add("cpu_ms_per_token", run.cpu_ms_per_token)
    add("bytes_per_token", run.bytes_per_token)
    if answer.tokens / answer.rate_tps >= LEAST_GROWTH_S:
        add("growth", run.growth)
    else:
        results.note("growth: a quarter of these answers is shorter than what is drawn each second")
    if run.tokens != answer.tokens:
        results.note(
            f"{answer.name}, {program.name}: {run.tokens} tokens came instead of {answer.tokens}"
        )
    add("late_ms", run.late_ms)
    if not run.has_settled:
        results.note(
            f"{answer.name}: {program.name} was cut off {answer.drain_s:g} s after the end"
        )
    if run.lags is None:
        results.note(f"{program.name} does not wrap: what runs out of view has no lag")
        return
    if len(run.lags.lags_ms) < run.tokens / 2:
        results.note(
            f"{answer.name}: only {len(run.lags.lags_ms)} of {run.tokens} tokens of {program.name}"
            " were found on the screen"
        )
    if run.lags.lags_ms:
        add("lag_p50_ms", quantile(run.lags.lags_ms, 0.5))
        add("lag_p99_ms", quantile(run.lags.lags_ms, 0.99))


def measure(
    ours: Program | None, plan: Plan, answers: Sequence[AnswerPlan], results: Results
) -> None:
    """Measures every answer of the plan with every program, in turn."""
    for turn in range(plan.runs):
        alone = [a for a in answers if not plan.is_one_session or a.name.startswith("prose")]
        for answer in alone:
            programs = [*([ours] if ours else []), *answer.references]
            for program in programs if turn % 2 == 0 else reversed(programs):
                _measure_session(program, plan, [answer], results)
        if ours and (together := [a for a in answers if a not in alone]):
            _measure_session(ours, plan, together, results)


def _measure_session(
    program: Program, plan: Plan, answers: Sequence[AnswerPlan], results: Results
) -> None:
    """Measures several answers of one rate and length in one session."""
    first = answers[0]
    try:
        with (
            Simulator(plan.folder, decode_tps=first.rate_tps, tokens=first.tokens) as simulator,
            Session(program, simulator, plan.folder) as session,
        ):
            session.wait_ready()
            for answer in answers:
                _record(_ask(session, answer), answer, program, results)
    except SessionError as error:
        results.note(f"{'/'.join(a.name for a in answers)}: {error}")


def measure_memory(ours: Program | None, plan: Plan, results: Results) -> None:
    """Measures memory before and after an answer that fills the context, without a rate limit."""
    answer = AnswerPlan("memory", "prose", plan.memory_rate_tps, plan.memory_tokens, drain_s=30)
    if ours is None:
        return
    for _ in range(plan.runs):
        try:
            with (
                Simulator(
                    plan.folder, decode_tps=answer.rate_tps, tokens=answer.tokens
                ) as simulator,
                Session(ours, simulator, plan.folder) as session,
            ):
                session.wait_ready()
                before = rss_bytes(session.pid)
                run = session.ask(
                    answer.prompt,
                    seconds=answer.tokens / answer.rate_tps * 3 + 30,
                    drain=answer.drain_s,
                    has_lags=False,
                )
        except SessionError as error:
            results.note(f"memory: {error}")
            return
        added = (run.rss_bytes - before) / 1e6
        results.add("memory", ours.name, "rss_added_mb", added)
        results.add("memory", ours.name, "rss_start_mb", before / 1e6)
        if run.tokens < 16_384:
            results.note(f"memory: after {run.tokens} tokens; the budget is for 16,384")
