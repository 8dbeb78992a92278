"""A snapshot of the board as metric families."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric

from tui.core.board.reading import Snapshot
from tui.core.text.sanitize import clean_line

PERCENT = 0.01
GIGA = 1e9
THROTTLE_STATES = ("none", "limited by user", "capped", "throttling")
"""The words of the reading ``throttle`` (:mod:`tui.board.readers.throttle`)."""
MAX_LABEL_CHARS = 120


@dataclass(frozen=True, slots=True)
class _Gauge:
    """A reading as a gauge. ``label`` is the label with the number, for readings that exist several
    times.
    """

    name: str
    help: str
    reading: str
    factor: float = 1.0
    label: Literal["", "core", "cpu", "cluster"] = ""


GAUGES = (
    _Gauge("npulse_npu_load_ratio", "Load of an NPU core.", "npu.load", PERCENT, "core"),
    _Gauge("npulse_npu_frequency_hertz", "Clock of the NPU.", "npu.freq"),
    _Gauge("npulse_npu_frequency_max_hertz", "Highest clock allowed to the NPU.", "npu.max_freq"),
    _Gauge("npulse_npu_voltage_volts", "Voltage of the NPU.", "npu.volt"),
    _Gauge("npulse_ddr_load_ratio", "Load of the memory controller.", "ddr.load", PERCENT),
    _Gauge("npulse_ddr_frequency_hertz", "Clock of the memory.", "ddr.freq"),
    _Gauge("npulse_ddr_frequency_max_hertz", "Highest clock allowed to it.", "ddr.max_freq"),
    _Gauge(
        "npulse_ddr_bandwidth_bytes_per_second",
        "Memory traffic, estimated from load and clock.",
        "ddr.bandwidth",
        GIGA,
    ),
    _Gauge("npulse_gpu_load_ratio", "Load of the GPU.", "gpu.load", PERCENT),
    _Gauge("npulse_cpu_load_ratio", "Load of a processor.", "cpu.load", PERCENT, "cpu"),
    _Gauge("npulse_cpu_frequency_hertz", "Clock of a CPU cluster.", "cpu.freq", label="cluster"),
    _Gauge(
        "npulse_cpu_frequency_cap_hertz",
        "Highest clock that heat or a setting allows a CPU cluster now.",
        "cpu.cap_freq",
        label="cluster",
    ),
    _Gauge("npulse_fan_duty_ratio", "Duty cycle of the fan.", "fan.pwm", PERCENT),
    _Gauge("npulse_fan_speed_rpm", "Turns of the fan a minute.", "fan.rpm"),
    _Gauge("npulse_power_watts", "Power of the board.", "power.w"),
    _Gauge("npulse_memory_total_bytes", "RAM.", "ram.total"),
    _Gauge("npulse_memory_available_bytes", "RAM that programs can still get.", "ram.available"),
    _Gauge("npulse_memory_model_bytes", "RAM that the loaded model takes.", "ram.model"),
    _Gauge("npulse_swap_total_bytes", "Swap.", "swap.total"),
    _Gauge("npulse_swap_used_bytes", "Swap in use.", "swap.used"),
    _Gauge(
        "npulse_memory_pressure_ratio",
        "Share of the last ten seconds in which some program waited for memory.",
        "psi.memory",
        PERCENT,
    ),
    _Gauge("npulse_server_resident_memory_bytes", "RAM of the server's process.", "server.rss"),
    _Gauge("npulse_server_resident_memory_max_bytes", "The most it took so far.", "server.hwm"),
    _Gauge(
        "npulse_server_cpu_ratio", "CPU time of the server, 1 is one core.", "server.cpu", PERCENT
    ),
)


def board_families(snapshot: Snapshot) -> Iterator[Metric]:
    """Metric families of the readings in a snapshot; absent readings have no sample."""
    info = InfoMetricFamily("npulse_board", "What board this is.")
    info.add_metric([], _identity(snapshot))
    yield info
    for row in GAUGES:
        labels = [row.label] if row.label else []
        family = GaugeMetricFamily(row.name, row.help, labels=labels)
        for number, value in enumerate(snapshot.numbers(row.reading)):
            if value is not None and math.isfinite(value):
                family.add_metric([str(number)] if labels else [], value * row.factor)
        if family.samples:
            yield family
    yield from _heat(snapshot)
    yield from _throttle(snapshot)


def _identity(snapshot: Snapshot) -> dict[str, str]:
    readings = {
        "board": "board.model",
        "soc": "board.soc",
        "kernel": "board.kernel",
        "npu_driver": "npu.driver",
        "runtime": "npu.runtime",
        "npu_governor": "npu.governor",
        "ddr_governor": "ddr.governor",
    }
    said = {label: snapshot.text(reading) for label, reading in readings.items()}
    known = {label: clean_line(text, MAX_LABEL_CHARS) for label, text in said.items() if text}
    return {**known, "simulated": str(snapshot.text("board.simulated") is not None).lower()}


def _heat(snapshot: Snapshot) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "npulse_temperature_celsius", "Temperature of a thermal zone.", labels=["zone"]
    )
    for name in sorted(snapshot.readings):
        value = snapshot.number(name)
        if name.startswith("temp.") and value is not None and math.isfinite(value):
            family.add_metric([clean_line(name.removeprefix("temp."), MAX_LABEL_CHARS)], value)
    if family.samples:
        yield family


def _throttle(snapshot: Snapshot) -> Iterator[Metric]:
    said = snapshot.text("throttle")
    if said not in THROTTLE_STATES:
        return
    state = GaugeMetricFamily(
        "npulse_throttle_state", "1 for the state that clocks are in.", labels=["state"]
    )
    for name in THROTTLE_STATES:
        state.add_metric([name], float(name == said))
    yield state
