"""Fan drive in per cent, and RPM where there is a tachometer."""

from __future__ import annotations

from tui.board.readers import parse
from tui.board.readers.attribute import Attribute
from tui.board.readers.files import Files
from tui.board.readers.reasons import NO_FAN, NO_SENSOR, UnreadableError
from tui.board.readers.sample_context import NS, SampleContext
from tui.board.readers.thermal import HWMON_DIR, ZONE_DIR
from tui.core.board.reading import Reading

PWM_DIR = "/sys/class/pwm"
LOOK_NS = 30 * NS


class Fan:
    """Reads ``fan.pwm`` in per cent of full drive, and ``fan.rpm`` where there is a tachometer.

    Sources, in this order: hwmon ``pwmfan``; a cooling device whose type contains ``fan`` (flag
    ``steps``: its states in per cent); the only enabled channel in /sys/class/pwm (flag
    ``assumed``: no file says that a fan is connected to it).
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._duty: Attribute | None = None
        self._speed: Attribute | None = None
        self._cooling: tuple[Attribute, int] | None = None
        self._channels: list[str] = []
        self._next_look_ns: int | None = None

    def _look(self) -> None:
        """Find the files of the fan."""
        self._duty = self._speed = self._cooling = None
        self._channels = []
        for folder in self._files.names(HWMON_DIR):
            path = f"{HWMON_DIR}/{folder}"
            if self._word(f"{path}/name") == "pwmfan":
                self._duty = Attribute(
                    self._files, f"{path}/pwm1", parse.pwm_percent, "%", NO_SENSOR
                )
                self._speed = Attribute(self._files, f"{path}/fan1_input", _rpm, "rpm", NO_SENSOR)
                return
        for folder in self._files.names(ZONE_DIR):
            path = f"{ZONE_DIR}/{folder}"
            if folder.startswith("cooling_") and "fan" in (self._word(f"{path}/type") or ""):
                try:
                    top = parse.bounded(1, 10_000, self._files.read_once(f"{path}/max_state"))
                except (OSError, UnreadableError):
                    continue
                self._cooling = (Attribute(self._files, f"{path}/cur_state", parse.integer), top)
                return
        for chip in self._files.names(PWM_DIR):
            for channel in self._files.names(f"{PWM_DIR}/{chip}"):
                if channel.startswith("pwm"):
                    self._channels.append(f"{PWM_DIR}/{chip}/{channel}")

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """Both readings. Without a fan, the next sample searches again."""
        if self._next_look_ns is None or context.t_ns >= self._next_look_ns:
            self._look()
            self._next_look_ns = context.t_ns + LOOK_NS
        speed = self._speed.read() if self._speed else Reading.absent(NO_SENSOR, "rpm", HWMON_DIR)
        drive = self._drive()
        if drive.value is None:
            self._next_look_ns = None
        return {"fan.pwm": drive, "fan.rpm": speed}

    def _drive(self) -> Reading:
        if self._duty is not None:
            return self._duty.read()
        if self._cooling is not None:
            attribute, top = self._cooling
            state = attribute.read()
            if isinstance(state.value, int) and 0 <= state.value <= top:
                value = round(100 * state.value / top, 1)
                return Reading(value, "%", state.source, flags=("steps",))
            return Reading.absent(state.reason or NO_FAN, "%", state.source)
        running = [
            reading for channel in self._channels if (reading := self._channel(channel)) is not None
        ]
        if len(running) == 1:
            return running[0]
        return Reading.absent(NO_FAN, "%", HWMON_DIR)

    def _channel(self, path: str) -> Reading | None:
        """The duty cycle of an enabled channel; None for a disabled or unreadable one."""
        try:
            if parse.integer(self._files.read(f"{path}/enable")) != 1:
                return None
            period = parse.bounded(1, 1 << 40, self._files.read(f"{path}/period"))
            duty = parse.bounded(0, period, self._files.read(f"{path}/duty_cycle"))
            polarity = parse.word(self._files.read(f"{path}/polarity"))
        except (OSError, UnreadableError):
            return None
        share = duty / period if polarity != "inversed" else 1 - duty / period
        return Reading(round(100 * share, 1), "%", path, flags=("assumed",))

    def _word(self, path: str) -> str | None:
        try:
            return parse.word(self._files.read_once(path))
        except (OSError, UnreadableError):
            return None


def _rpm(raw: bytes) -> int:
    return parse.bounded(0, 100_000, raw)
