"""What the NPU does, by its load and its interrupts."""

from __future__ import annotations

import pytest

from tui.core.screen.server_facts import NpuPhase, npu_work

Numbers = tuple[float | None, ...]


@pytest.mark.parametrize(
    ("loads", "jobs", "phase"),
    [
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), "idle"),
        ((95.0, 95.0, 94.0), (5200.0, 5200.0, 5100.0), "prefill"),
        ((86.0, 84.0, 61.0), (9500.0, 9400.0, 6800.0), "decode"),
        ((38.0, None, None), (), "decode"),
        ((), (9500.0, None), "working"),
        ((), (0.0,), "idle"),
        ((), (), "unknown"),
        ((None,), (None,), "unknown"),
    ],
)
def test_npu_work(loads: Numbers, jobs: Numbers, phase: NpuPhase) -> None:
    found = npu_work(loads, "/proc/rknpu/load", jobs)
    assert found.phase == phase
    assert bool(found.source) == (phase != "unknown")
