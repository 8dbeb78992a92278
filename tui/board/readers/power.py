"""Electrical power from a sensor, never estimated."""

from __future__ import annotations

import re

from tui.board.readers import parse
from tui.board.readers.attribute import Attribute
from tui.board.readers.files import Files
from tui.board.readers.reasons import NO_SENSOR
from tui.board.readers.sample_context import NS, SampleContext
from tui.board.readers.thermal import HWMON_DIR
from tui.core.board.reading import Reading

LOOK_NS = 30 * NS
_POWER = re.compile(r"power[0-9]{1,2}_input")


class Power:
    """Reads ``power.w``: watts of the first hwmon power input that gives a value.

    The Orange Pi 5 Max has none. Its USB controller has a voltage and a current input, but both
    read 0, so they are not used.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._sensors: list[Attribute] = []
        self._next_look_ns: int | None = None

    def _look(self) -> None:
        self._sensors = [
            Attribute(self._files, f"{HWMON_DIR}/{folder}/{entry}", _watts, "W", NO_SENSOR)
            for folder in self._files.names(HWMON_DIR)
            for entry in self._files.names(f"{HWMON_DIR}/{folder}")
            if _POWER.fullmatch(entry)
        ]

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """The reading; absent with ``no sensor`` where there is none."""
        if self._next_look_ns is None or context.t_ns >= self._next_look_ns:
            self._look()
            self._next_look_ns = context.t_ns + LOOK_NS
        first: Reading | None = None
        for sensor in self._sensors:
            reading = sensor.read()
            if reading.value is not None:
                return {"power.w": reading}
            first = first or reading
        return {"power.w": first or Reading.absent(NO_SENSOR, "W", HWMON_DIR)}


def _watts(raw: bytes) -> float:
    """W from µW. Exactly 0 is invalid: a sensor that is not connected gives it."""
    return parse.bounded(1, 10**10, raw) / 1e6
