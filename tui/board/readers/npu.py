"""NPU clock, limits, power state, governor, voltage and driver (the load: ``npu_load``)."""

from __future__ import annotations

from tui.board.readers import parse
from tui.board.readers.attribute import Attribute, absent_all
from tui.board.readers.devfreq import Devfreq, Devices
from tui.board.readers.files import Files
from tui.board.readers.reasons import (
    CLOCK_JUMP,
    FIRST_SAMPLE,
    NO_DRIVER,
    NO_SENSOR,
    UnreadableError,
    reason_of,
    unreadable,
)
from tui.board.readers.sample_context import SampleContext, Window
from tui.core.board.reading import Reading

PLATFORM_DIR = "/sys/devices/platform"
REGULATOR_DIR = "/sys/class/regulator"
DRIVER_VERSION = "/sys/module/rknpu/version"
DEBUGFS_VERSION = "/sys/kernel/debug/rknpu/version"

_CLOCK = {"npu.freq": "Hz"}
_LIMITS = {"npu.min_freq": "Hz", "npu.max_freq": "Hz"}
_SETUP = {"npu.governor": "", "npu.table": "Hz"}
_POWER = {"npu.power": "", "npu.duty": "%"}


class Npu:
    """Reads ``npu.*`` except load and activity.

    The debugfs file ``freq`` is not read, as reading it powers the NPU on. The devfreq node gives
    the clock that the driver has set, without that.
    """

    def __init__(self, files: Files, devices: Devices) -> None:
        self._files = files
        self._devices = devices
        self._known_as: tuple[str | None, bool, bool] | None = None
        self._devfreq: Devfreq | None = None
        self._power: list[Attribute] = []
        self._times: list[tuple[str, str]] = []
        self._volt: Attribute | None = None
        self._version = Attribute(files, DRIVER_VERSION, parse.version)
        self._window = Window()
        self._active_ms = 0
        self._duty = Reading.absent(FIRST_SAMPLE, "%")

    def clock(self, context: SampleContext) -> dict[str, Reading]:
        """``npu.freq``."""
        devfreq = self._device()
        return devfreq.clock() if devfreq else absent_all(_CLOCK, self._devices.npu_missing)

    def limits(self, context: SampleContext) -> dict[str, Reading]:
        """``npu.min_freq`` and ``npu.max_freq``."""
        devfreq = self._device()
        return devfreq.limits() if devfreq else absent_all(_LIMITS, self._devices.npu_missing)

    def setup(self, context: SampleContext) -> dict[str, Reading]:
        """``npu.governor``, ``npu.table``, ``npu.volt`` and ``npu.driver``."""
        devfreq = self._device()
        found = devfreq.setup() if devfreq else absent_all(_SETUP, self._devices.npu_missing)
        return {**found, "npu.volt": self._voltage(), "npu.driver": self._driver()}

    def power(self, context: SampleContext) -> dict[str, Reading]:
        """``npu.power`` (runtime power state, such as active) and ``npu.duty`` (per cent of the
        time since the last sample in which the NPU was powered).

        The driver keeps the NPU powered for 3 s after its last job.
        """
        self._device()
        if not self._power:
            return absent_all(_POWER, self._devices.npu_missing)
        states = [attribute.read() for attribute in self._power]
        known = [state for state in states if state.value is not None]
        state = next((state for state in known if state.value == "active"), None)
        return {
            "npu.power": state or (known or states)[0],
            "npu.duty": self._duty_since_last(context),
        }

    def _device(self) -> Devfreq | None:
        now = (self._devices.npu, self._devices.has_rknpu, self._devices.has_rocket)
        if self._known_as != now:
            self._known_as = now
            self._find()
        return self._devfreq

    def _find(self) -> None:
        name = self._devices.npu
        self._devfreq = Devfreq(self._files, name, "npu") if name else None
        names = [name] if name else []
        if not names and (self._devices.has_rknpu or self._devices.has_rocket):
            listed = self._files.names(PLATFORM_DIR)
            names = [entry for entry in listed if entry.endswith(".npu")]
        folders = [f"{PLATFORM_DIR}/{entry}/power" for entry in names]
        self._power = [
            Attribute(self._files, f"{folder}/runtime_status", parse.power_state)
            for folder in folders
        ]
        self._times = [
            (f"{folder}/runtime_active_time", f"{folder}/runtime_suspended_time")
            for folder in folders
        ]
        self._window.reset()
        self._volt = self._find_regulator()

    def _find_regulator(self) -> Attribute | None:
        for entry in self._files.names(REGULATOR_DIR):
            try:
                name = self._files.read_once(f"{REGULATOR_DIR}/{entry}/name").strip(parse.BLANKS)
            except OSError:
                continue
            if name.startswith(b"vdd_npu") and not name.startswith(b"vdd_npu_mem"):
                path = f"{REGULATOR_DIR}/{entry}/microvolts"
                return Attribute(self._files, path, parse.volts, "V", NO_SENSOR)
        return None

    def _voltage(self) -> Reading:
        if self._volt is None:
            self._volt = self._find_regulator()
        return self._volt.read() if self._volt else Reading.absent(NO_SENSOR, "V", REGULATOR_DIR)

    def _driver(self) -> Reading:
        self._version.missing = self._devices.npu_missing
        found = self._version.read()
        if found.value is not None or not self._devices.has_rknpu:
            flags = ("rocket",) if self._devices.has_rocket else ()
            if found.value is None and found.reason == NO_DRIVER and flags:
                return Reading(None, "", found.source, found.reason, flags)
            return found
        try:
            version = parse.version(self._files.read_once(DEBUGFS_VERSION))
        except (OSError, UnreadableError):
            return found
        return Reading(version, "", DEBUGFS_VERSION)

    def _duty_since_last(self, context: SampleContext) -> Reading:
        if self._window.is_short(context):
            return self._duty
        path = self._times[0][0]
        try:
            active_ms = max(
                parse.bounded(0, 1 << 53, self._files.read(active)) for active, _ in self._times
            )
        except OSError as error:
            self._window.reset()
            return Reading.absent(reason_of(error), "%", path)
        except UnreadableError as error:
            self._window.reset()
            return Reading.absent(unreadable(str(error)), "%", path)
        passed_ms, self._active_ms = active_ms - self._active_ms, active_ms
        seconds = self._window.close(context)
        if seconds is None:
            self._duty = Reading.absent(FIRST_SAMPLE, "%", path)
        elif passed_ms < 0:
            self._duty = Reading.absent(CLOCK_JUMP, "%", path)
        else:
            self._duty = Reading(round(min(100.0, passed_ms / seconds / 10), 1), "%", path)
        return self._duty
