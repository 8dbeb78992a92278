"""Makes the record of a finished request: status, metrics, taints, warnings."""

from __future__ import annotations

from time import perf_counter_ns

from tui.bench.analysis.hardware import HardwareLog
from tui.bench.analysis.trace import Measured, Trace, looks_buffered, measure
from tui.bench.model.records import (
    SKIPPED,
    Hardware,
    Request,
    RuntimeTimes,
    Source,
    Status,
    Taint,
    Times,
)
from tui.bench.run.plan import Task
from tui.bench.run.recorded_turn import RecordedTurn, source_of
from tui.bench.run.request_runner import CAP_GRACE, RequestResult, StopReason
from tui.core.screen.footer import included_note
from tui.core.text.sanitize import clean
from tui.core.turn.finish import is_limit
from tui.core.turn.turn_stats import TurnStats

_STOPPED: dict[StopReason, Status] = {
    "timeout_first": "timeout_first",
    "timeout_idle": "timeout_idle",
    "timeout_total": "timeout_total",
    "cap": "capped",
    "loop": "loop_aborted",
    "skip": "cancelled",
    "abort": "cancelled",
}
_ERRORS: dict[str, Status] = {
    "no_first_byte": "timeout_first",
    "stalled": "timeout_idle",
    "cut": "truncated",
    "server": "error_backend",
    "protocol": "error_backend",
    "io": "truncated",
}
MAX_ERROR_CHARS = 400
CACHED_SHARE = 0.9
FAST_AGAIN_SHARE = 0.5
MAX_CHARS_PER_TOKEN = 7.0


def status_of(asked: RequestResult, tokens_out: int | None, cap: int) -> Status:
    """The status of a finished request."""
    if asked.stopped is not None:
        return _STOPPED[asked.stopped]
    turn = asked.turn
    if turn.error is not None:
        return _ERRORS.get(turn.error.kind, "error_http")
    if turn.status == "empty" or not turn.stamps_ns:
        return "empty"
    if turn.status != "complete":
        return "truncated"
    is_capped = is_limit(turn.finish_reason) or (tokens_out is not None and tokens_out >= cap)
    return "capped" if is_capped else "ok"


def trace_of(asked: RequestResult, *, is_buffered_run: bool, words_in: int | None) -> Trace:
    """Times and counts of an answer. ``words_in`` is npulse's own estimate of the prompt's
    tokens."""
    turn = asked.turn
    stats = turn.stats(perf_counter_ns())
    source = source_of(stats)
    stamps = _own_stamps(turn, stats)
    is_chunk_counted = source != "runtime" and stats.tokens == stats.chunks
    cap = turn.request.settings.max_tokens
    tokens_out: int | None = stats.tokens if source != "unknown" else None
    server_out = None if turn.believed_usage is None else turn.believed_usage.tokens_out
    if tokens_out is not None and tokens_out > cap + CAP_GRACE and is_chunk_counted:
        tokens_out, stamps = cap, stamps[:cap]
    tokens_in, in_source = _tokens_in(turn, stats, words_in)
    end_ns = None
    if stats.latency_ms is not None:
        end_ns = turn.t0_ns + round(stats.latency_ms * 1e6)
    return Trace(
        t0_ns=turn.t0_ns,
        stamps_ns=tuple(stamps),
        th_ns=turn.accepted_ns,
        tc_ns=None if stats.ttfot_ms is None else turn.t0_ns + round(stats.ttfot_ms * 1e6),
        te_ns=end_ns,
        is_token_per_chunk=is_chunk_counted or stats.itl_p50_ms is not None,
        tokens_out=tokens_out,
        out_source=source,
        reasoning=stats.thinking_tokens or None,
        server_out=server_out,
        tokens_in=tokens_in,
        in_source=in_source,
        runtime=_runtime(turn),
        estimated_tps=stats.decode_tps if stats.decode_source == "estimated" else None,
        cap=cap,
        ttft_includes=stats.ttft_includes,
        is_buffered=is_buffered_run or stats.is_buffered or looks_buffered(turn.t0_ns, stamps),
    )


def _own_stamps(turn: RecordedTurn, stats: TurnStats) -> tuple[int, ...]:
    """The chunk times of this answer, without chunks before its first token: a defective server
    sends a token of the previous answer first."""
    if stats.ttft_ms is None:
        return tuple(turn.stamps_ns)
    first_ns = turn.t0_ns + round(stats.ttft_ms * 1e6)
    return tuple(stamp for stamp in turn.stamps_ns if stamp >= first_ns)


def _tokens_in(
    turn: RecordedTurn, stats: TurnStats, words_in: int | None
) -> tuple[int | None, Source]:
    usage = turn.believed_usage
    if usage is not None and usage.tokens_in and usage.source == "runtime":
        return usage.tokens_in, "runtime"
    if words_in is not None:
        return words_in, "estimated"
    return (None, "unknown") if stats.prompt_tokens is None else (stats.prompt_tokens, "estimated")


def _runtime(turn: RecordedTurn) -> RuntimeTimes:
    """The runtime's own counters, from the server's response, else from its log."""
    usage, logged = turn.believed_usage, turn.runtime
    if usage is None or (usage.prefill_ms is None and usage.decode_ms is None):
        if logged is None:
            return RuntimeTimes()
        return RuntimeTimes(
            prefill_ms=logged.prefill_ms,
            prefill_tokens=logged.prefill_tokens,
            generate_ms=logged.decode_ms,
            generate_tokens=logged.decode_tokens,
            memory_mb=None if logged.peak_bytes is None else logged.peak_bytes / 2**20,
            source="runtime-log",
        )
    return RuntimeTimes(
        prefill_ms=usage.prefill_ms,
        prefill_tokens=usage.tokens_in,
        generate_ms=usage.decode_ms,
        generate_tokens=usage.tokens_out,
    )


def record(
    task: Task,
    asked: RequestResult,
    *,
    segment: int,
    wall: str,
    prompt_sha256: str,
    board: HardwareLog,
    is_buffered_run: bool = False,
    words_in: int | None = None,
    clock_step: str | None = None,
    earlier: Request | None = None,
) -> Request:
    """The record of one request, without the checks of its answer.

    ``earlier`` is the record of an earlier request with the same prompt, to detect a cache hit.
    ``clock_step``: a step of the wall clock or a sleep during the answer, as text.
    """
    turn = asked.turn
    trace = trace_of(asked, is_buffered_run=is_buffered_run, words_in=words_in)
    measured = measure(trace)
    cap = turn.request.settings.max_tokens
    status = status_of(asked, trace.tokens_out, cap)
    first = trace.stamps_ns[0] if trace.stamps_ns else None
    last = trace.stamps_ns[-1] if trace.stamps_ns else None
    end_ns = trace.te_ns or perf_counter_ns()
    hardware, hot_taints = board.describe(turn.t0_ns, end_ns, first, last)
    taints: list[Taint] = list(hot_taints)
    warnings = list(measured.warnings)
    if trace.is_buffered:
        taints.append("buffered_stream")
    if asked.stopped == "cap":
        taints.append("cap_ignored")
        warnings.append(f"the server continued after its limit of {cap} tokens")
    if clock_step is not None:
        taints.append("clock_step")
        warnings.append(clock_step)
    if _is_cached(trace, earlier):
        taints.append("cache_hit")
    stats = turn.stats(perf_counter_ns())
    if stats.queue_ms is not None:
        warnings.append(f"waited {stats.queue_ms / 1000:.1f} s for the server before it was sent")
    if stats.queue_ms is not None:
        measured.put("queue_ms", stats.queue_ms, "")
    if stats.ttft_includes:
        warnings.append(f"time to first token{included_note(stats.ttft_includes)}")
    if stats.is_marked:
        lag = stats.max_lag_ms
        warnings.append(f"npulse was up to {lag:.0f} ms late: times are less exact by that")
    warnings += _targets_missed(task, trace, taints, status)
    warnings += _implausible(turn, trace)
    _add_hardware(measured, hardware, trace)
    error = None if turn.error is None else turn.error.sentence
    if turn.status == "empty":
        error = turn.note
    elif turn.unread.count and turn.note:
        warnings.append(turn.note)
    if asked.stopped is not None and asked.stopped != "cap":
        error = _sentence(asked.stopped)
    return Request(
        id=task.prompt.id,
        rep=task.rep,
        order=task.order,
        status=status,
        name=task.prompt.name,
        segment=segment,
        finish=turn.finish_reason,
        prompt_sha256=prompt_sha256,
        group=task.group,
        target_in=task.wanted_in,
        target_out=cap if task.prompt.exact else None,
        t=Times(
            wall=wall,
            t0_ns=trace.t0_ns,
            th_ns=trace.th_ns,
            t1_ns=first,
            tc_ns=trace.tc_ns,
            tn_ns=last,
            te_ns=trace.te_ns,
        ),
        tok=measured.tokens,
        ttft_includes=trace.ttft_includes,
        is_ttft_estimated=trace.is_ttft_estimated and not trace.is_buffered,
        rt=trace.runtime,
        m=measured.m,
        why=measured.why,
        itl_ms=measured.gaps,
        hw=hardware,
        taint=tuple(dict.fromkeys(taints)),
        warnings=tuple(clean(text, newlines=False) for text in warnings),
        error=None if error is None else clean(error, newlines=False)[:MAX_ERROR_CHARS],
    )


def not_asked(task: Task, status: Status, why: str, segment: int) -> Request:
    """The record of a request that was not sent; ``why`` is the reason, or empty."""
    return Request(
        id=task.prompt.id,
        rep=task.rep,
        order=task.order,
        status=status,
        name=task.prompt.name,
        group=task.group,
        segment=segment,
        error=why or None,
    )


def _sentence(stopped: StopReason) -> str:
    return {
        "timeout_first": "no token within the time limit for the first token",
        "timeout_idle": "no token within the time limit between two tokens",
        "timeout_total": "not finished within the time limit for the whole answer",
        "loop": "ended because the answer repeated itself",
        "skip": SKIPPED,
        "abort": "the run was ended",
        "cap": "",
    }[stopped]


def _is_cached(trace: Trace, earlier: Request | None) -> bool:
    """Whether the server used its prefix cache for this prompt.

    By its own count of processed tokens; without one, if the first token came in less than half
    the time of the earlier request.
    """
    fresh = trace.runtime.prefill_tokens
    if earlier is None:
        return False
    if fresh is not None and earlier.rt.prefill_tokens:
        return fresh < CACHED_SHARE * earlier.rt.prefill_tokens
    before = earlier.m.get("ttft_client_ms")
    if before is None or not trace.stamps_ns or trace.is_buffered:
        return False
    return (trace.stamps_ns[0] - trace.t0_ns) / 1e6 < FAST_AGAIN_SHARE * before


def _targets_missed(task: Task, trace: Trace, taints: list[Taint], status: Status) -> list[str]:
    """Warnings for token counts that differ from those that the suite prescribes; adds the
    taint."""
    said = []
    wanted_in = task.wanted_in
    if wanted_in and trace.tokens_in is not None and trace.in_source == "runtime":
        if trace.tokens_in != wanted_in:
            said.append(f"the prompt had {trace.tokens_in} tokens, not {wanted_in}")
            taints.append("off_target")
    elif wanted_in:
        said.append(f"the prompt's {wanted_in} tokens are estimated: the server does not count")
    cap = task.prompt.max_tokens
    if task.prompt.exact and status in ("ok", "capped") and trace.tokens_out != cap:
        said.append(f"the answer had {trace.tokens_out} tokens, not {cap}")
        taints.append("off_target")
    return said


def _implausible(turn: RecordedTurn, trace: Trace) -> list[str]:
    if trace.out_source != "runtime" or not trace.tokens_out:
        return []
    characters = len(turn.text) + len(turn.thinking)
    if characters / trace.tokens_out > MAX_CHARS_PER_TOKEN and trace.tokens_out >= 16:
        return [f"{characters / trace.tokens_out:.1f} characters per token: perhaps words"]
    return []


def _add_hardware(measured: Measured, hardware: Hardware, trace: Trace) -> None:
    """Add memory and energy to the request's metrics, if the board has them."""
    for name, value in (
        ("rss_mb", hardware.rss_mb),
        ("hwm_mb", hardware.hwm_mb),
        ("avail_min_mb", hardware.avail_min_mb),
    ):
        if value is not None:
            measured.m[name] = value
    span_ns, tokens = trace.span_ns, trace.tokens_out
    if hardware.energy_j is None or tokens is None or tokens < 2 or not span_ns:
        return
    measured.put("energy_j_per_tok", hardware.energy_j / (tokens - 1), "")
    if hardware.idle_w is not None:
        net = hardware.energy_j - hardware.idle_w * span_ns / 1e9
        measured.put("energy_net_j_per_tok", net / (tokens - 1), "")
