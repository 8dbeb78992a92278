"""Runs made for tests at the level of records, without a server."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tui.bench.analysis.trace import Trace, measure
from tui.bench.model.conditions import Config, Env, Model, Runtime
from tui.bench.model.records import Document, Request, Run, Status, Times, Tokens
from tui.bench.store import document

MODEL = Model(name="qwen3-4b", size=4_580_000_000, quant="w8a8", ctx=16384)
CONFIG = Config(sampling={"top_k": 1, "temperature": 0.0}, stream_mode="token")
ENV = Env(runtime=Runtime(version="1.2.3"))


def trace(
    *,
    tokens: int = 64,
    tps: float = 3.13,
    ttft_ms: float = 1250.0,
    prompt: int = 31,
    jitter: float = 0.0,
    rng: random.Random | None = None,
    slope_ms: float = 0.0,
) -> Trace:
    """An answer with even or jittered gaps."""
    t0_ns = 1_000_000_000
    at = t0_ns + ttft_ms * 1e6
    stamps = []
    for index in range(tokens):
        stamps.append(round(at))
        gap = 1e9 / tps + slope_ms * 1e6 * index
        at += gap * (1 + (rng.gauss(0, jitter) if rng is not None and jitter else 0.0))
    return Trace(
        t0_ns=t0_ns,
        stamps_ns=tuple(stamps),
        tc_ns=stamps[0] if stamps else None,
        te_ns=round(at),
        tokens_out=tokens,
        out_source="client",
        tokens_in=prompt,
        in_source="estimated",
        cap=tokens + 100,
    )


def request(
    prompt_id: str = "a",
    rep: int = 0,
    *,
    status: Status = "ok",
    order: int = 0,
    group: str = "",
    made: Trace | None = None,
) -> Request:
    """A finished request of that trace."""
    kept = made or trace()
    measured = measure(kept)
    return Request(
        id=prompt_id,
        rep=rep,
        order=order,
        status=status,
        name=prompt_id,
        group=group,
        t=Times(
            t0_ns=kept.t0_ns,
            t1_ns=kept.stamps_ns[0] if kept.stamps_ns else None,
            tn_ns=kept.stamps_ns[-1] if kept.stamps_ns else None,
            te_ns=kept.te_ns,
        ),
        tok=measured.tokens if kept.tokens_out else Tokens(),
        rt=kept.runtime,
        m=measured.m,
        why=measured.why,
        itl_ms=measured.gaps,
    )


def run(
    requests: Sequence[Request],
    *,
    run_id: str = "20250101T000000Z-prompts-qwen3-4b-0000",
    suite_sha256: str = "abc",
    is_simulated: bool = False,
    kind: str = "prompts",
    planned: int | None = None,
    model: Model = MODEL,
    config: Config = CONFIG,
    env: Env = ENV,
) -> Document:
    """A document of these requests."""
    kept = tuple(requests)
    wanted = len(kept) if planned is None else planned
    is_whole = sum(r.is_scored for r in kept) >= wanted
    return document.assemble(
        Run(
            id=run_id,
            suite="prompts",
            suite_sha256=suite_sha256,
            title="made for a test",
            kind=kind,
            status="complete" if is_whole else "partial",
            started_utc="2025-01-01T00:00:00Z",
            wall_s=100.0,
            seed=1,
            planned=wanted,
            tool="npulse test",
            simulated=is_simulated,
        ),
        env=env,
        model=model,
        config=config,
        gates=(),
        warmup=(),
        requests=kept,
        stamps={},
    )


PROMPTS = ("c1", "c2", "c3", "c4", "c5", "c6", "p1", "k1", "i1", "e1")


def answers(seed: int, factor: float, noise: float) -> list[Request]:
    """Ten answers of a simulated qwen3-4b: lengths as usual, rates with the noise of a board.

    ``factor`` speeds up decoding and the first token; ``noise`` is the relative spread of a whole
    answer, above that of its single tokens.
    """
    rng = random.Random(seed)
    requests = []
    for order, name in enumerate(PROMPTS):
        length = 40 + 17 * order
        tps = 3.13 * factor * (1 + rng.gauss(0, noise))
        first = 1250.0 / factor * (1 + rng.gauss(0, 2 * noise))
        made = trace(tokens=length, tps=tps, ttft_ms=first, jitter=0.02, rng=rng)
        requests.append(request(name, order=order, made=made))
    return requests


def profile(seed: int, factor: float = 1.0, *, noise: float = 0.01) -> Document:
    """A whole run of :func:`answers`."""
    run_id = f"20250101T000000Z-prompts-qwen3-4b-{seed:04x}"
    return run(answers(seed, factor, noise), run_id=run_id)


def light(seed: int, factor: float = 1.0, *, noise: float = 0.01) -> Document:
    """The same without the figures of the run, which a comparison does not use."""
    return Document(
        run=Run(id=f"{seed:04x}", suite="prompts", suite_sha256="abc", planned=10),
        model=MODEL,
        env=ENV,
        config=CONFIG,
        requests=tuple(answers(seed, factor, noise)),
    )
