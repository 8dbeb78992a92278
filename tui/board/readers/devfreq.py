"""devfreq devices (NPU, DDR, GPU), found by name and not by address: clocks, limits, load."""

from __future__ import annotations

from collections.abc import Callable

from tui.board.readers import parse
from tui.board.readers.attribute import Attribute
from tui.board.readers.files import Files
from tui.board.readers.reasons import (
    FIRST_SAMPLE,
    NO_DRIVER,
    NOT_ON_THIS_KERNEL,
    UnreadableError,
    reason_of,
    unreadable,
)
from tui.board.readers.sample_context import SampleContext
from tui.core.board.reading import Reading, ReadingValue

CLASS_DIR = "/sys/class/devfreq"
NPU_MODULE = "/sys/module/rknpu"
ROCKET_MODULE = "/sys/module/rocket"
SELF_PACED = ("performance", "powersave", "userspace")
"""Governors that do not poll: with them only npulse's own reads end a window of the load."""


class Devices:
    """The devfreq devices that the kernel has now. Looked up at every sample, as a driver may be
    loaded while npulse runs. ``generation`` grows with every change."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.generation = 0
        self.npu: str | None = None
        self.ddr: str | None = None
        self.gpu: str | None = None
        self.has_rknpu = False
        """Whether the vendor's driver is loaded, which RKLLM requires."""
        self.has_rocket = False
        """Whether the mainline driver is loaded, which gives neither load nor clocks."""

    def refresh(self, context: SampleContext) -> dict[str, Reading]:
        """Look the devices up again. Returns no readings."""
        names = self._files.names(CLASS_DIR)
        npu = _first(names, lambda name: name.endswith(".npu"))
        ddr = _first(names, lambda name: name == "dmc" or name.endswith(".dmc"))
        gpu = _first(names, lambda name: "gpu" in name)
        has_rknpu = npu is not None or self._files.exists(NPU_MODULE)
        has_rocket = not has_rknpu and self._files.exists(ROCKET_MODULE)
        now = (npu, ddr, gpu, has_rknpu, has_rocket)
        if now != (self.npu, self.ddr, self.gpu, self.has_rknpu, self.has_rocket):
            self.npu, self.ddr, self.gpu, self.has_rknpu, self.has_rocket = now
            self.generation += 1
            self._files.forget_below(CLASS_DIR)
        return {}

    @property
    def npu_missing(self) -> str:
        """The reason to report for a missing file that only the vendor's NPU driver provides."""
        return NOT_ON_THIS_KERNEL if self.has_rknpu else NO_DRIVER


class Devfreq:
    """Clock, limits and governor of one devfreq device, as ``<prefix>.freq`` and so on.

    ``max_freq`` is the effective limit: the lowest of the limits set by users, by the thermal
    governor and by Rockchip's system monitor.
    """

    def __init__(self, files: Files, name: str, prefix: str) -> None:
        def attribute(file: str, parser: Callable[[bytes], ReadingValue], unit: str) -> Attribute:
            return Attribute(files, f"{CLASS_DIR}/{name}/{file}", parser, unit)

        self.name = name
        self.prefix = prefix
        self._clock = attribute("cur_freq", parse.hertz, "Hz")
        self._limits = {
            f"{prefix}.min_freq": attribute("min_freq", parse.hertz, "Hz"),
            f"{prefix}.max_freq": attribute("max_freq", parse.hertz, "Hz"),
        }
        self._setup = {
            f"{prefix}.governor": attribute("governor", parse.governor, ""),
            f"{prefix}.table": attribute("available_frequencies", parse.hertz_table, "Hz"),
        }

    def clock(self) -> dict[str, Reading]:
        """``<prefix>.freq``: the present clock in Hz."""
        return {f"{self.prefix}.freq": self._clock.read()}

    def limits(self) -> dict[str, Reading]:
        """``<prefix>.min_freq`` and ``.max_freq``: the limits of the clock in Hz."""
        return {name: attribute.read() for name, attribute in self._limits.items()}

    def setup(self) -> dict[str, Reading]:
        """``<prefix>.governor``, and ``.table``: the clocks in Hz that the device supports."""
        return {name: attribute.read() for name, attribute in self._setup.items()}


class DevfreqLoad:
    """The load of a devfreq device. The kernel returns it one read late.

    ``load_show()`` of the kernel prints the window that ended with the read before. So the first
    read, and the first after a pause, covers an unknown time and is discarded. With a governor that
    does not poll, only these reads end windows: there the second read is discarded as well.
    """

    def __init__(self, files: Files, path: str) -> None:
        self._files = files
        self._path = path
        self._reads = 0
        self._t_ns = 0
        self.freq_hz = 0
        """The clock in Hz to which the last load refers."""

    def read(self, context: SampleContext, governor: str | None) -> Reading:
        """Busy cycles in per cent, over about the time between two samples."""
        discarded = 2 if governor in SELF_PACED else 1
        if self._reads and not 0 <= context.t_ns - self._t_ns <= context.max_gap_ns:
            self._reads = 0
        self._t_ns = context.t_ns
        try:
            load = parse.devfreq_load(self._files.read(self._path))
        except OSError as error:
            self._reads = min(self._reads, discarded - 1)
            return Reading.absent(reason_of(error), "%", self._path)
        except UnreadableError as error:
            # Before the first window has ended, the kernel returns 0 bytes. That read ends it.
            self._reads += 1
            return Reading.absent(unreadable(str(error)), "%", self._path)
        self._reads += 1
        if self._reads <= discarded:
            return Reading.absent(FIRST_SAMPLE, "%", self._path)
        self.freq_hz = load.freq_hz
        flags = ("clamped",) if load.is_clamped else ()
        return Reading(load.load_pct, "%", self._path, flags=flags)


def _first(names: list[str], matches: Callable[[str], bool]) -> str | None:
    return next((name for name in names if matches(name)), None)
