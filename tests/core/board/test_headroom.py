"""RAM that a model needs, and where free RAM is heading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.board.headroom import (
    RESERVE_BYTES,
    HeadroomTrend,
    kv_bytes_per_token,
    need_of,
    verdict,
)
from tui.core.board.model_shape import (
    SHAPES,
    bits_per_weight,
    parameters_of,
    shape_of,
    weights_bytes,
)
from tui.core.board.ram_calculator import CONTEXTS, requirement

GIB = 1 << 30
NS = 1_000_000_000


def test_kv_cache_of_qwen3_4b() -> None:
    """147,456 bytes a token with fp16, so 2.25 GiB at 16,384 tokens; half of it with int8."""
    shape = SHAPES["qwen3-4b"]
    assert kv_bytes_per_token(shape) == 147_456
    assert need_of(0, 16384, shape).kv_bytes == 2.25 * GIB
    assert need_of(0, 16384, shape, value_bytes=1).kv_bytes == 1.125 * GIB


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("qwen3-4b", "qwen3-4b"),
        ("Qwen3-4B-Instruct-2507-rk3588-w8a8-16k.rkllm", "qwen3-4b"),
        ("Qwen3_0.6B_w8a8", "qwen3-0.6b"),
        ("gemma-3-1b-it", "gemma3-1b"),
        ("gemma3-270m", "gemma3-270m"),
        ("Qwen2.5-1.5B-Instruct", "qwen2.5-1.5b"),
        ("Llama-3.2-1B-Instruct", "llama3.2-1b"),
        ("qwen3-14b", "qwen3-14b"),
        ("DeepSeek-R1-Distill-Qwen-1.5B_W8A8_RK3588", "deepseekr1distillqwen-1.5b"),
        ("qwen3-32b", None),
        ("qwen3.5-4b", None),
        ("something-4b", None),
        ("", None),
    ],
)
def test_shape_by_name(name: str, known: str | None) -> None:
    assert shape_of(name) == (SHAPES[known] if known else None)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("qwen3-4b", 4e9),
        ("Qwen3-0.6B", 0.6e9),
        ("gemma3-270m", 270e6),
        ("qwen3_1.7b_w8a8", 1.7e9),
        ("w8a8", None),
        ("model", None),
    ],
)
def test_parameters_by_name(name: str, parameters: float | None) -> None:
    assert parameters_of(name) == parameters


def test_bits_of_types() -> None:
    assert bits_per_weight("w8a8") == 8
    assert bits_per_weight("W4A16_g128") == 4.125
    assert bits_per_weight("q4_0") is None
    assert weights_bytes(4e9, "w8a8") == 4_000_000_000


def test_calculator() -> None:
    need = requirement("qwen3-4b", "w8a8", 16384)
    assert need is not None
    assert need.total_bytes == 4_200_000_000 + 2.25 * GIB
    assert requirement("nameless", "w8a8", 1) is None
    assert requirement("qwen3-4b", "odd", 1) is None
    needs = [requirement("qwen3-4b", "w8a8", context) for context in CONTEXTS]
    totals = [need.total_bytes for need in needs if need]
    assert len(totals) == 5
    assert totals == sorted(set(totals))


@pytest.mark.parametrize(
    ("available", "fit"),
    [(16 * GIB, "fits"), (8 * GIB, "fits"), (7 * GIB, "tight"), (4 * GIB, "too large")],
)
def test_verdict_before_loading(available: int, fit: str) -> None:
    result = verdict("qwen3-4b", 4_600_000_000, 16384, available)
    assert result.fit == fit
    assert "4.3 GiB of weights, 2.2 GiB of KV cache" in result.sentence


def test_verdict_counts_what_unloading_frees() -> None:
    assert verdict("m", 4 * GIB, None, 3 * GIB).fit == "too large"
    later = verdict("m", 4 * GIB, None, 3 * GIB, freed_bytes=3 * GIB)
    assert later.fit == "fits"
    assert "6.0 GiB are free once the loaded one is gone" in later.sentence


def test_a_cache_of_unknown_size_is_no_reason_to_promise_room() -> None:
    """13.7 GiB with the runtime's share; 16k tokens of cache take about 2.5 GiB more."""
    size = 13 * GIB
    assert verdict("nobody-knows-14b", size, 16384, 15 * GIB).fit == "tight"
    assert "KV cache of unknown size" in verdict("nobody-knows-14b", size, 16384, 15 * GIB).sentence
    assert verdict("nobody-knows-14b", size, 16384, 18 * GIB).fit == "fits"
    assert verdict("qwen3-14b", size, 16384, 15 * GIB).fit == "tight"


def test_verdict_without_numbers() -> None:
    assert verdict("m", None, None, GIB).fit == "unknown"
    assert verdict("m", 4 * GIB, None, 4 * GIB).sentence.startswith("It does not fit: it needs ")
    assert verdict("m", GIB, None, None).fit == "unknown"


def fed(slope_bytes_per_s: float, seconds: int, start: float = 8.0 * GIB) -> HeadroomTrend:
    trend = HeadroomTrend()
    for second in range(seconds + 1):
        trend.feed(second * NS, start + slope_bytes_per_s * second)
    return trend


def test_slope_of_a_steady_loss() -> None:
    trend = fed(-10e6, 60)
    assert trend.slope_bytes_per_s == pytest.approx(-10e6, rel=1e-6)
    left = 8 * GIB - 600e6 - RESERVE_BYTES
    assert trend.exhaustion_s == pytest.approx(left / 10e6, rel=1e-6)


def test_warning_comes_long_before_the_end() -> None:
    assert fed(-10e6, 60).warning() is None
    trend = fed(-10e6, 60, start=4.0 * GIB)
    assert trend.warning() == (
        "RAM runs out in about 5 min: 3.4 GiB are free, 572 MiB less every minute."
    )


def test_nearly_used_up() -> None:
    trend = HeadroomTrend()
    trend.feed(0, 0.4 * GIB)
    assert trend.exhaustion_s == 0
    assert trend.warning() == "RAM is nearly used up: 0.4 GiB are free."


def test_quiet_when_it_grows_breathes_or_is_unknown() -> None:
    assert fed(+10e6, 60).exhaustion_s is None
    assert fed(-100e3, 60).exhaustion_s is None
    assert fed(-10e6, 5).exhaustion_s is None
    assert HeadroomTrend().exhaustion_s is None


def test_a_gap_starts_anew() -> None:
    trend = fed(-10e6, 60)
    trend.feed(1000 * NS, 7.0 * GIB)
    assert trend.slope_bytes_per_s is None
    trend.feed(1001 * NS, None)
    assert trend.exhaustion_s is None


@given(
    st.lists(
        st.tuples(st.integers(-(10**12), 10**12), st.one_of(st.none(), st.integers(0, 1 << 45)))
    )
)
def test_any_samples(samples: list[tuple[int, int | None]]) -> None:
    trend = HeadroomTrend()
    for t_ns, available in samples:
        trend.feed(t_ns, available)
        seconds = trend.exhaustion_s
        assert seconds is None or seconds >= 0
        trend.warning()


@given(st.text(max_size=40))
def test_any_name_has_a_size_or_none(name: str) -> None:
    assert shape_of(name) in (None, *SHAPES.values())
    assert (parameters_of(name) or 0) >= 0
    bits = bits_per_weight(name)
    assert bits is None or bits > 0
