"""Differences between two runs: those that prevent a comparison, and those that only warn."""

from __future__ import annotations

from dataclasses import dataclass

from tui.bench.analysis.summary import headline_source, scored
from tui.bench.model.conditions import Clock
from tui.bench.model.records import Document

START_TEMPERATURE_C = 5.0
FIELDS = (
    "simulated",
    "model",
    "quant",
    "suite",
    "sampling",
    "ctx",
    "npu_cores",
    "runtime",
    "stream_mode",
    "token_source",
)
"""Fields that must be equal for a comparison, except the one that ``--vary`` names."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs, with its value on each side. ``is_blocking``: it prevents
    comparison."""

    field: str
    a: str
    b: str
    is_blocking: bool

    @property
    def sentence(self) -> str:
        return f"{self.field}: {self.a} against {self.b}"


def differences(a: Document, b: Document, vary: frozenset[str] = frozenset()) -> list[Difference]:
    """All differences, blocking ones first.

    A field in ``vary`` is the one under test and does not block. A value that is unknown on one
    side, or a context length that is a guess, only warns: the values may be equal.
    """
    found: list[Difference] = []
    left, right = _blocking(a), _blocking(b)
    for name in FIELDS:
        x, y = left[name], right[name]
        if x == y:
            continue
        is_unknown = x is None or y is None
        is_guess = name == "ctx" and name in (*a.model.guessed, *b.model.guessed)
        is_blocking = not is_unknown and not is_guess and name not in vary
        if isinstance(x, dict) and isinstance(y, dict):
            # Only the keys that differ, to keep the message short.
            names = sorted(key for key in x.keys() | y.keys() if x.get(key) != y.get(key))
            x, y = (", ".join(f"{key} {side.get(key)}" for key in names) for side in (x, y))
        found.append(Difference(name, _shown(x), _shown(y), is_blocking))
    warn_left, warn_right = _warning(a), _warning(b)
    for name, x in warn_left.items():
        y = warn_right[name]
        if x != y and x is not None and y is not None:
            found.append(Difference(name, _shown(x), _shown(y), is_blocking=False))
    found += _temperature(a, b)
    return sorted(found, key=lambda difference: not difference.is_blocking)


def _shown(value: object) -> str:
    return "unknown" if value is None else str(value)[:100]


def _blocking(document: Document) -> dict[str, object]:
    model, run = document.model, document.run
    identity = model.sha256 or (f"{model.name}, {model.size} bytes" if model.size else model.name)
    source = headline_source(document.requests)
    sampling = {k: v for k, v in document.config.sampling.items() if v is not None}
    mode = document.config.stream_mode
    return {
        "simulated": run.simulated,
        "model": identity,
        "quant": model.quant,
        "suite": f"{run.suite} {run.suite_sha256[:12]}" if run.suite_sha256 else run.suite,
        "sampling": sampling or None,
        "ctx": model.ctx,
        "npu_cores": model.npu_cores,
        "runtime": document.env.runtime.sha256 or document.env.runtime.version,
        "stream_mode": None if mode == "unknown" else mode,
        "token_source": None if source == "unknown" else source,
    }


def _warning(document: Document) -> dict[str, object]:
    env, run = document.env, document.run
    return {
        "kernel": env.kernel,
        "driver": env.npu_driver,
        "board": env.board,
        "soc": env.soc,
        "server": env.server.name,
        "clocks": _clocks((env.clocks.npu, env.clocks.dmc, *env.clocks.cpu)),
        "tool": run.tool or None,
        "formulae": run.formula_set,
        "comparability": run.comparability,
        "quick": document.config.quick,
        "repetitions": run.runs,
        "client": None if env.client.where == "unknown" else env.client.where,
    }


def _clocks(clocks: tuple[Clock, ...]) -> str | None:
    known = [f"{c.name} {c.gov} {c.target_hz}" for c in clocks if c.target_hz is not None]
    return "; ".join(known) or None


def _start_temperature(document: Document) -> float | None:
    known = [t for r in scored(document.requests) if (t := r.hw.t_start) is not None]
    return known[0] if known else None


def _temperature(a: Document, b: Document) -> list[Difference]:
    x, y = _start_temperature(a), _start_temperature(b)
    if x is None or y is None or abs(x - y) <= START_TEMPERATURE_C:
        return []
    return [Difference("start temperature", f"{x:.0f} °C", f"{y:.0f} °C", is_blocking=False)]
