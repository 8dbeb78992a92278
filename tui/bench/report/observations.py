"""Observations: sentences generated from a run's data, each with the id of its rule.

Every sentence follows from a measured value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from statistics import median

from tui.bench.analysis.fits import rate_at
from tui.bench.analysis.published_figures import nearest
from tui.bench.analysis.summary import scored
from tui.bench.model.metrics import ratio
from tui.bench.model.records import Request
from tui.bench.report.text import line, number
from tui.bench.store.run_files import Loaded

ROOFLINE_SHARE = 0.65
FLAT_SHARE = 0.03
MIN_CI_N = 6
SAME_TIME_SHARE = 0.03
OVERHEAD_MS = 250.0

SHORT_BY_DESIGN = frozenset({"prefill", "cache", "load"})
"""Kinds of suite whose low token limits cut every answer by design."""


def observations(loaded: Loaded) -> list[str]:
    """The sentences of all rules that apply to this run, in the order of the rules."""
    return [f"{text} [{rule}]" for rule, find in _RULES for text in find(loaded)]


def _requests(loaded: Loaded) -> tuple[Request, ...]:
    return loaded.document.requests


def _success(loaded: Loaded) -> Iterator[str]:
    failed = loaded.document.failures
    if failed:
        total, ok = len(_requests(loaded)), len(scored(_requests(loaded)))
        parts = ", ".join(f"{f.count} {f.status}" for f in failed)
        yield f"{ok} of {total} requests count for the figures; the others ended as: {parts}."


def _same_timeouts(loaded: Loaded) -> Iterator[str]:
    """Timeouts of equal duration were probably caused by the same time limit."""
    late = [r for r in _requests(loaded) if r.status.startswith("timeout")]
    known = [ms / 1000 for r in late if (ms := r.m.get("latency_ms")) is not None]
    if len(known) >= 2 and max(known) - min(known) <= SAME_TIME_SHARE * max(known):
        yield (
            f"{len(known)} timeouts took {median(known):.0f} s each: a time limit ended them, "
            "not the model."
        )


def _buffered(loaded: Loaded) -> Iterator[str]:
    hit = sum("buffered_stream" in r.taint for r in _requests(loaded))
    if hit:
        yield (
            f"The server sent {hit} answers at once instead of token by token: their time to first "
            "token and gaps are unknown and left out."
        )


def _taints(loaded: Loaded) -> Iterator[str]:
    words = {
        "throttled": "ran with a thermal limit",
        "clock_low": "ran with a clock below its highest",
        "swap": "ran while swap grew",
        "background": "ran with other load on the CPU",
        "cap_ignored": "did not stop at the token limit and were ended by npulse",
        "clock_step": "ran while the wall clock stepped or the machine slept",
        "ui_heavy": "ran while npulse itself used more than 10 % of a core",
        "off_target": "do not have the token counts that the suite prescribes",
    }
    counts: Counter[str] = Counter(taint for r in _requests(loaded) for taint in r.taint)
    for taint, text in words.items():
        if counts[taint]:
            yield f"{counts[taint]} of {len(_requests(loaded))} requests {text} ({taint})."


def _cached(loaded: Loaded) -> Iterator[str]:
    hit = sum("cache_hit" in r.taint for r in _requests(loaded))
    if hit and loaded.document.run.kind != "cache":
        yield (
            f"{hit} answers came from a prefix cache; they are left out of time to first token "
            "and prefill."
        )


def _decay(loaded: Loaded) -> Iterator[str]:
    fit = next((f for f in loaded.document.fits if f.id == "tpot_over_context"), None)
    if fit is None or fit.x_min is None or fit.x_max is None:
        return
    first, last = rate_at(fit, fit.x_min), rate_at(fit, fit.x_max)
    loss = None if first is None or last is None else ratio(first - last, first)
    if loss is None or first is None or last is None:
        return
    where = f"between {fit.x_min:.0f} and {fit.x_max:.0f} tokens of context"
    if abs(loss) < FLAT_SHARE:
        yield f"The decode rate is flat {where}: {first:.2f} to {last:.2f} tok/s."
        return
    word = "falls" if loss > 0 else "rises"
    yield (
        f"The decode rate {word} from {first:.2f} to {last:.2f} tok/s {where} "
        f"({fit.a:.1f} ms + {fit.b:.4f} ms per token of context)."
    )


def _overhead(loaded: Loaded) -> Iterator[str]:
    known = [v for r in scored(_requests(loaded)) if (v := r.m.get("overhead_ttft_ms")) is not None]
    if known and median(known) > OVERHEAD_MS:
        yield (
            f"A median of {median(known):.0f} ms of the time to first token is not prefill but "
            "network, queue or template."
        )


def _delta(loaded: Loaded) -> Iterator[str]:
    known = [v for r in scored(_requests(loaded)) if (v := r.m.get("rt_cl_delta_pct")) is not None]
    if known and abs(median(known)) > 3:
        yield (
            f"The runtime's rate differs from npulse's by {median(known):+.1f} % in the median: "
            "one of the two times includes something that the other one does not."
        )


def _estimated(loaded: Loaded) -> Iterator[str]:
    kept = scored(_requests(loaded))
    guessed = sum(r.tok.source == "estimated" for r in kept)
    if guessed:
        yield (
            f"The server did not count the tokens of {guessed} of {len(kept)} answers: their "
            "number is estimated from the chunks or the text, and their rates are marked ~."
        )


def _capped(loaded: Loaded) -> Iterator[str]:
    hit = [r for r in _requests(loaded) if r.status == "capped" and r.target_out is None]
    if hit and loaded.document.run.kind not in SHORT_BY_DESIGN:
        yield f"{len(hit)} answers were cut by their token limit: {_names(hit)}."


def _loops(loaded: Loaded) -> Iterator[str]:
    found = [
        (r, c)
        for r in _requests(loaded)
        for c in r.checks
        if c.id in ("no_loop", "repetition") and c.passed is False
    ]
    if found:
        first = found[0][1].detail
        yield f"{len(found)} answers repeat themselves: {_names([r for r, _ in found])} ({first})."


def _checks(loaded: Loaded) -> Iterator[str]:
    total = loaded.document.totals.get("check_pass_pct")
    if total is None or not total.n or total.value is None:
        return
    failed = Counter(
        c.id
        for r in scored(_requests(loaded))
        for c in r.checks
        if c.passed is False and not c.info
    )
    worst = ", ".join(f"{name} {count}" for name, count in failed.most_common(3))
    tail = f"; most often failed: {worst}" if worst else ""
    yield f"{total.value:.0f} % of {total.n} applicable answer checks passed{tail}."


def _spread(loaded: Loaded) -> Iterator[str]:
    decode = loaded.document.summary.get("decode_tps")
    if decode is None or not decode.n:
        return
    # In a sweep over context depths, the rates differ by design, not by noise.
    if decode.mdc_pct is not None and loaded.document.run.kind != "sweep":
        yield (
            f"With n={decode.n} and this spread, a change of the decode rate of less than "
            f"{decode.mdc_pct:.1f} % may be chance."
        )
    if decode.n < MIN_CI_N:
        yield f"n={decode.n} is too small for a significant paired comparison (6 are needed)."


def _reference(loaded: Loaded) -> Iterator[str]:
    decode = loaded.document.summary.get("decode_tps")
    model = loaded.document.model
    if decode is None or decode.median is None or loaded.document.run.simulated:
        return
    rows = nearest(model.name, soc=loaded.document.env.soc, dtype=model.quant)
    if not rows or rows[0][0].decode_tps is None:
        return
    row, is_same = rows[0]
    share = ratio(decode.median, row.decode_tps)
    if share is None:
        return
    other = "" if is_same else " (another model of this size)"
    text = f"The median speed is {100 * share:.0f} % of {row.label}{other}."
    if share < ROOFLINE_SHARE:
        text += " Check the DDR clock (dmc) and the NPU clock first."
    yield text


def _stalls(loaded: Loaded) -> Iterator[str]:
    total = loaded.document.totals.get("stalls")
    if total is not None and total.value:
        yield f"{total.value:.0f} of {total.n} gaps were stalls (longer than three medians)."


def _memory(loaded: Loaded) -> Iterator[str]:
    free = loaded.document.totals.get("avail_min_mb")
    if free is not None and free.value is not None and free.value < 500:
        yield f"The lowest available memory was {free.value:.0f} MB."


def _unread(loaded: Loaded) -> Iterator[str]:
    missing = loaded.document.env.missing
    clocks = [name for name in ("npu.freq", "ddr.freq", "cpu.freq") if name in missing]
    if clocks:
        said = ", ".join(f"{name} ({line(missing[name])})" for name in clocks)
        yield f"These clocks could not be read: {said}."
    elif "board" in missing:
        yield f"The board was not read: {line(missing['board'])}."


def _budget(loaded: Loaded) -> Iterator[str]:
    left = [r for r in _requests(loaded) if r.status == "skipped_budget"]
    if left:
        yield f"{len(left)} prompts were not reached within the time budget: {_names(left)}."


def _slope(loaded: Loaded) -> Iterator[str]:
    slope = loaded.document.totals.get("slope_pct_h")
    if slope is not None and slope.value is not None:
        yield f"The rate changes by {number(slope.value, 1)} % an hour over {slope.n} answers."


def _cache(loaded: Loaded) -> Iterator[str]:
    found = loaded.document.totals.get("cache_ttft_ratio")
    if found is not None and found.value is not None:
        word = "works" if found.value < 0.5 else "is not used"
        yield (
            f"With a repeated prompt, the time to first token is {100 * found.value:.0f} % of that "
            f"of the first request: the prefix cache {word}."
        )


def _names(requests: list[Request]) -> str:
    names = list(dict.fromkeys(line(r.id) for r in requests))
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")


_RULES: tuple[tuple[str, Callable[[Loaded], Iterator[str]]], ...] = (
    ("O1 success", _success),
    ("O2 equal timeouts", _same_timeouts),
    ("O3 buffered", _buffered),
    ("O4 taints", _taints),
    ("O5 cache hits", _cached),
    ("O6 decay", _decay),
    ("O7 overhead", _overhead),
    ("O8 two clocks", _delta),
    ("O9 estimated", _estimated),
    ("O10 capped", _capped),
    ("O11 loops", _loops),
    ("O12 checks", _checks),
    ("O13 spread", _spread),
    ("O14 reference", _reference),
    ("O15 stalls", _stalls),
    ("O16 memory", _memory),
    ("O17 unread", _unread),
    ("O18 budget", _budget),
    ("O19 slope", _slope),
    ("O20 cache", _cache),
)
