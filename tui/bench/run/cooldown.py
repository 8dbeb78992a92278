"""Pauses and cool-downs between requests."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns

from tui.bench.model.conditions import Gate
from tui.bench.model.events import GateSeen, Noted, StageChanged
from tui.bench.run.plan import Task
from tui.bench.run.run_context import RunContext

LOOK_S = 0.2


async def pause(context: RunContext) -> None:
    """Wait while the run is paused. Returns at once if it is not, and when it is aborted."""
    controls, ledger = context.controls, context.ledger
    # Let the event's consumers run first: one of them may request a pause now.
    await asyncio.sleep(0)
    if not controls.is_paused:
        return
    ledger.emit(StageChanged(stage="paused", sentence="Paused before the next prompt."))
    ledger.write(Noted(t_ns=perf_counter_ns(), sentence="paused"))
    # Another thread or a file may set the flags, so they have to be polled.
    while controls.is_paused and not controls.is_aborted:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_S)
    ledger.write(Noted(t_ns=perf_counter_ns(), sentence="resumed"))


async def cool_down(context: RunContext, task: Task) -> None:
    """Wait until the board is at most 10 °C warmer than when idle, at most ``cool_down_s``."""
    limit, allowed_s = context.cool_limit_c, context.options.cool_down_s
    now = context.board.temperature()
    if limit is None or now is None or allowed_s <= 0:
        return
    start_ns = perf_counter_ns()
    if now > limit:
        sentence = f"{now:.0f} °C, waiting for {limit:.0f} °C, at most {allowed_s:.0f} s."
        context.ledger.emit(StageChanged(stage="cool-down", sentence=sentence))
    end_ns = start_ns + round(allowed_s * 1e9)
    while now is not None and now > limit and perf_counter_ns() < end_ns:
        if context.controls.is_aborted:
            return
        await asyncio.sleep(min(LOOK_S, allowed_s))
        now = context.board.temperature()
    waited_s = (perf_counter_ns() - start_ns) / 1e9
    is_ok = now is None or now <= limit
    gate = Gate(
        id="cool_down",
        ok=is_ok,
        severity="ok" if is_ok else "warn",
        sentence=_sentence(now, waited_s),
        value=now,
        limit=limit,
        unit="°C",
        fix=None if is_ok else "a fan, or a longer --cool-down",
    )
    seen = GateSeen(gate=gate, request=task.prompt.id)
    context.ledger.write(seen)
    if waited_s > 1:
        context.ledger.show(seen)


def _sentence(now: float | None, waited_s: float) -> str:
    if now is None:
        return "The temperature can no longer be read."
    return f"{now:.0f} °C after {waited_s:.0f} s of cooling."
