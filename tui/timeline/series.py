"""Curves of a timeline: labels, units and number formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SeriesSpec:
    """A curve. ``scale`` multiplies the stored reading, so that it has ``unit``.

    ``top`` is the largest value that there can be (100 for per cent), ``least_span`` the least
    difference between bottom and top of its scale: noise must not look like a change.
    """

    name: str
    label: str
    unit: str
    digits: int = 0
    scale: float = 1.0
    top: float | None = None
    least_span: float = 1.0

    def shown(self, value: float | None, unknown: str = "–") -> str:
        """The number as text, without its unit."""
        return unknown if value is None or value != value else f"{value:.{self.digits}f}"


RATE, GAP = "rate", "gap"
NPU_LOAD, CPU_CLOCK = "npu.load", "cpu.big.freq"
"""The mean of the cores, and the highest clock of the big CPU clusters."""
THROTTLE = "throttle.level"
OTHERS = "cpu.others"
PRESSURE = "psi.memory"
FREE_RAM = "ram.available"
_MHZ, _GIB = 1e-6, 2.0**-30

_SPECS = (
    SeriesSpec(RATE, "rate", "tok/s", digits=2, least_span=0.5),
    SeriesSpec(NPU_LOAD, "NPU", "%", top=100, least_span=100),
    SeriesSpec("npu.freq", "NPU clock", "MHz", scale=_MHZ, least_span=400),
    SeriesSpec("soc.temp", "heat", "°C", least_span=10),
    SeriesSpec(GAP, "gap", "ms", least_span=10),
    SeriesSpec("ddr.load", "DDR", "%", top=100, least_span=100),
    SeriesSpec(CPU_CLOCK, "CPU clock", "MHz", scale=_MHZ, least_span=400),
    SeriesSpec("ddr.freq", "DDR clock", "MHz", scale=_MHZ, least_span=400),
    SeriesSpec(FREE_RAM, "free RAM", "GiB", digits=1, scale=_GIB, least_span=1),
    SeriesSpec(OTHERS, "others", "% CPU", least_span=100),
    SeriesSpec("npu.temp", "NPU heat", "°C", least_span=10),
    SeriesSpec(PRESSURE, "pressure", "%", digits=1, top=100, least_span=10),
    SeriesSpec("npu.activity", "NPU jobs", "/s", least_span=100),
)

SPECS: Mapping[str, SeriesSpec] = {spec.name: spec for spec in _SPECS}
"""By name, the most important first; with little room only the first are shown.

Beside them a timeline has the NPU's load per core (``npu.load.0``, ...), in per cent, and the
levels of :data:`THROTTLE`: 0 none, 1 limited by the user, 2 slowed by heat.
"""


def spec_of(name: str) -> SeriesSpec:
    """The spec of a curve; one of its own for the load of a core, or an unknown name."""
    found = SPECS.get(name)
    if found is not None:
        return found
    head, _, core = name.rpartition(".")
    if head == NPU_LOAD:
        return SeriesSpec(name, f"NPU {core}", "%", top=100, least_span=100)
    return SeriesSpec(name, name, "")
