"""DDR memory: clock, load and estimated bandwidth, which bound the decode rate."""

from __future__ import annotations

import re

from tui.board.readers.attribute import absent_all
from tui.board.readers.devfreq import CLASS_DIR, Devfreq, DevfreqLoad, Devices
from tui.board.readers.files import Files
from tui.board.readers.reasons import FIRST_SAMPLE, NO_DRIVER, NOT_ON_THIS_KERNEL
from tui.board.readers.sample_context import SampleContext
from tui.core.board.reading import Reading

BUS_BYTES = {"rk3588": 8, "rk3588s": 8, "rk3576": 4, "rk3568": 4, "rk3566": 4, "rk3562": 4}
"""Width of the memory bus in bytes by SoC: 64 bit on RK3588, 32 bit on the smaller ones."""

SCALING_SOCS = ("rk3588", "rk3588s", "rk3576")
"""SoCs whose vendor kernel scales the memory clock if the boot firmware lets it."""
_VENDOR_KERNEL = re.compile(r"(?:4\.4|4\.19|5\.10|6\.1)\.")
"""Rockchip's own kernel series. A later kernel may have rknpu as a DKMS module, but no dmc driver:
there, a missing dmc device says nothing about the boot firmware."""

_FAST = {"ddr.freq": "Hz", "ddr.load": "%", "ddr.bandwidth": "GB/s"}
_SLOW = {"ddr.min_freq": "Hz", "ddr.max_freq": "Hz"}
_SETUP = {"ddr.governor": "", "ddr.table": "Hz", "ddr.peak_bandwidth": "GB/s"}


def peak_bandwidth_gbps(freq_hz: float, bus_bytes: int) -> float:
    """Peak bandwidth of DDR memory in GB/s: two transfers per clock of ``bus_bytes`` each."""
    return freq_hz * 2 * bus_bytes / 1e9


class Ddr:
    """Reads ``ddr.*`` from the dmc devfreq node.

    If a vendor kernel has no such node on an SoC that supports it, the boot firmware cannot change
    the memory clock. The readings then have the flag ``firmware``: no other cause slows decoding
    more.
    """

    def __init__(self, files: Files, devices: Devices) -> None:
        self._files = files
        self._devices = devices
        self._devfreq: Devfreq | None = None
        self._loads: dict[str, DevfreqLoad] = {}

    def fast(self, context: SampleContext) -> dict[str, Reading]:
        """``ddr.freq``, ``ddr.load`` and ``ddr.bandwidth``."""
        devfreq = self._device()
        if devfreq is None:
            return self._absent(context, _FAST)
        governor = context.value("ddr.governor")
        if devfreq.name not in self._loads:
            path = f"{CLASS_DIR}/{devfreq.name}/load"
            self._loads[devfreq.name] = DevfreqLoad(self._files, path)
        source = self._loads[devfreq.name]
        load = source.read(context, governor if isinstance(governor, str) else None)
        return {
            **devfreq.clock(),
            "ddr.load": load,
            "ddr.bandwidth": _bandwidth(context, load, source.freq_hz),
        }

    def limits(self, context: SampleContext) -> dict[str, Reading]:
        """``ddr.min_freq`` and ``ddr.max_freq``."""
        devfreq = self._device()
        return devfreq.limits() if devfreq else self._absent(context, _SLOW)

    def setup(self, context: SampleContext) -> dict[str, Reading]:
        """``ddr.governor``, ``ddr.table`` and ``ddr.peak_bandwidth`` (at the highest clock)."""
        devfreq = self._device()
        if devfreq is None:
            return self._absent(context, _SETUP)
        found = devfreq.setup()
        table = found["ddr.table"].value
        bus_bytes = _bus_bytes(context)
        if isinstance(table, tuple) and table and table[-1] and bus_bytes:
            peak = Reading(
                round(peak_bandwidth_gbps(table[-1], bus_bytes), 1),
                "GB/s",
                f"{8 * bus_bytes}-bit bus at {table[-1] / 1e6:.0f} MHz",
                flags=("estimated",),
            )
        else:
            reason = found["ddr.table"].reason or NOT_ON_THIS_KERNEL
            peak = Reading.absent(reason, "GB/s", CLASS_DIR)
        return {**found, "ddr.peak_bandwidth": peak}

    def _device(self) -> Devfreq | None:
        name = self._devices.ddr
        if name is None:
            self._devfreq = None
        elif self._devfreq is None or self._devfreq.name != name:
            self._devfreq = Devfreq(self._files, name, "ddr")
        return self._devfreq

    def _absent(self, context: SampleContext, ids: dict[str, str]) -> dict[str, Reading]:
        is_vendors = _VENDOR_KERNEL.match(str(context.value("board.kernel") or "")) is not None
        has_scaling = self._devices.has_rknpu and context.value("board.soc") in SCALING_SOCS
        if not (has_scaling and is_vendors):
            return absent_all(ids, NOT_ON_THIS_KERNEL, f"{CLASS_DIR}/dmc")
        return {
            name: Reading(None, unit, f"{CLASS_DIR}/dmc", NO_DRIVER, ("firmware",))
            for name, unit in ids.items()
        }


def _bandwidth(context: SampleContext, load: Reading, freq_hz: int) -> Reading:
    bus_bytes = _bus_bytes(context)
    if not isinstance(load.value, int | float):
        return Reading.absent(load.reason or FIRST_SAMPLE, "GB/s", load.source)
    if bus_bytes is None:
        return Reading.absent("bus width unknown", "GB/s", load.source)
    value = round(load.value / 100 * peak_bandwidth_gbps(freq_hz, bus_bytes), 2)
    source = f"{load.source}, {8 * bus_bytes}-bit bus"
    return Reading(value, "GB/s", source, flags=("estimated", *load.flags))


def _bus_bytes(context: SampleContext) -> int | None:
    soc = context.value("board.soc")
    return BUS_BYTES.get(soc) if isinstance(soc, str) else None
