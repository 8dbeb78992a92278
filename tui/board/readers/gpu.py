"""GPU clocks and load: it shares the memory bandwidth, and some runtimes use it for prefill."""

from __future__ import annotations

from tui.board.readers.attribute import absent_all
from tui.board.readers.devfreq import CLASS_DIR, Devfreq, DevfreqLoad, Devices
from tui.board.readers.files import Files
from tui.board.readers.reasons import NOT_ON_THIS_KERNEL
from tui.board.readers.sample_context import SampleContext
from tui.core.board.reading import Reading

_IDS = {
    "gpu.freq": "Hz",
    "gpu.load": "%",
    "gpu.min_freq": "Hz",
    "gpu.max_freq": "Hz",
    "gpu.governor": "",
    "gpu.table": "Hz",
}


class Gpu:
    """Reads ``gpu.*`` from the GPU's devfreq node. Mainline drivers give no load there."""

    def __init__(self, files: Files, devices: Devices) -> None:
        self._files = files
        self._devices = devices
        self._devfreq: Devfreq | None = None
        self._loads: dict[str, DevfreqLoad] = {}

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """All readings of the GPU."""
        name = self._devices.gpu
        if name is None:
            self._devfreq = None
            return absent_all(_IDS, NOT_ON_THIS_KERNEL, CLASS_DIR)
        if self._devfreq is None or self._devfreq.name != name:
            self._devfreq = Devfreq(self._files, name, "gpu")
        if name not in self._loads:
            self._loads[name] = DevfreqLoad(self._files, f"{CLASS_DIR}/{name}/load")
        found = {**self._devfreq.clock(), **self._devfreq.limits(), **self._devfreq.setup()}
        governor = found["gpu.governor"].value
        load = self._loads[name].read(context, governor if isinstance(governor, str) else None)
        return {**found, "gpu.load": load}
