"""Temperatures by the type of thermal zone, not by its number, and the trip points."""

from __future__ import annotations

import re

from tui.board.readers import parse
from tui.board.readers.attribute import Attribute, absent_all
from tui.board.readers.files import Files
from tui.board.readers.reasons import NO_SENSOR, UnreadableError, reason_of, unreadable
from tui.board.readers.sample_context import SampleContext
from tui.core.board.reading import Reading

ZONE_DIR = "/sys/class/thermal"
HWMON_DIR = "/sys/class/hwmon"

SOC_ZONES = ("soc", "package", "center", "cpu", "x86_pkg_temp")
"""Zones for the SoC's temperature, best first; vendor kernels have soc, mainline has package."""
HOST_SENSORS = ("coretemp", "k10temp", "zenpower")
"""hwmon names of CPU sensors in a PC."""
DEFAULT_CRITICAL_C = 115.0
"""The critical trip in Rockchip's device trees; used where the kernel shows none."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
_TRIP = re.compile(r"trip_point_([0-9]{1,3})_(?:temp|type)")
_TRIP_IDS = {
    "thermal.trip_passive": "°C",
    "thermal.trips_passive": "°C",
    "thermal.trip_hysteresis": "°C",
    "thermal.trip_critical": "°C",
}


def zone_name(raw: bytes) -> str:
    """The zone's type without its suffix: ``npu`` for ``npu-thermal``. Raises UnreadableError."""
    name = re.sub(r"[-_]thermal$", "", parse.word(raw).lower())
    if not _NAME.fullmatch(name):
        raise UnreadableError("malformed")
    return name


class Thermal:
    """Reads ``temp.<zone>``, ``soc.temp``, ``npu.temp`` and ``thermal.trip_*``, all in °C."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._zones: dict[str, tuple[str, Attribute]] = {}
        self._host: Attribute | None = None

    def trips(self, context: SampleContext) -> dict[str, Reading]:
        """The trip points of the SoC's zone."""
        self._look()
        return self._trips(context)

    def temperatures(self, context: SampleContext) -> dict[str, Reading]:
        """All zones, and the temperatures of SoC and NPU taken from them."""
        self._look()
        found = {f"temp.{name}": zone.read() for name, (_, zone) in self._zones.items()}
        return {**found, "soc.temp": self._soc(found), "npu.temp": self._npu(found)}

    def _look(self) -> None:
        """Map types to zones again, as the kernel may renumber zones when a driver is loaded."""
        folders = [name for name in self._files.names(ZONE_DIR) if name.startswith("thermal_zone")]
        kinds: dict[str, str] = {}
        for folder in sorted(folders, key=lambda name: (len(name), name)):
            try:
                kind = zone_name(self._files.read(f"{ZONE_DIR}/{folder}/type"))
            except (OSError, UnreadableError):
                continue
            same = sum(
                1 for name in kinds if re.fullmatch(rf"{re.escape(kind)}(?:\.[0-9]+)?", name)
            )
            kinds[f"{kind}.{same}" if same else kind] = folder
        if kinds != {name: folder for name, (folder, _) in self._zones.items()}:
            self._files.forget_below(f"{ZONE_DIR}/thermal_zone")
            self._zones = {
                name: (
                    folder,
                    Attribute(
                        self._files, f"{ZONE_DIR}/{folder}/temp", parse.celsius, "°C", NO_SENSOR
                    ),
                )
                for name, folder in kinds.items()
            }
        if self._host is None and not any(name in self._zones for name in SOC_ZONES):
            self._host = self._find_host_sensor()

    def _find_host_sensor(self) -> Attribute | None:
        for folder in self._files.names(HWMON_DIR):
            try:
                name = parse.word(self._files.read_once(f"{HWMON_DIR}/{folder}/name"))
            except (OSError, UnreadableError):
                continue
            if name in HOST_SENSORS:
                path = f"{HWMON_DIR}/{folder}/temp1_input"
                return Attribute(self._files, path, parse.celsius, "°C", NO_SENSOR)
        return None

    def _soc(self, found: dict[str, Reading]) -> Reading:
        first: Reading | None = None
        for name in SOC_ZONES:
            reading = found.get(f"temp.{name}")
            if reading is None:
                continue
            first = first or reading
            if reading.value is not None:
                flags = ("host",) if name == "x86_pkg_temp" else ()
                fallback = ("fallback",) if name in ("center", "cpu") or first != reading else ()
                return Reading(reading.value, "°C", reading.source, flags=(*flags, *fallback))
        if self._host is not None and first is None:
            host = self._host.read()
            return Reading(host.value, "°C", host.source, host.reason, ("host",))
        return first or Reading.absent(NO_SENSOR, "°C", ZONE_DIR)

    def _npu(self, found: dict[str, Reading]) -> Reading:
        """The NPU's own zone; without one the SoC's, flagged ``fallback``."""
        own = found.get("temp.npu")
        if own is not None and own.value is not None:
            return own
        soc = self._soc(found)
        if soc.value is None or "host" in soc.flags:
            return own or Reading.absent(NO_SENSOR, "°C", ZONE_DIR)
        return Reading(soc.value, "°C", soc.source, flags=("fallback",))

    def _trips(self, context: SampleContext) -> dict[str, Reading]:
        """The trip points of the SoC's zone, in °C. If one cannot be read, all are absent, as it
        may be the lowest."""
        name = next((name for name in SOC_ZONES if name in self._zones), None)
        folder = f"{ZONE_DIR}/{self._zones[name][0]}" if name else ZONE_DIR
        entries = self._files.names(folder) if name else []
        numbers = sorted({match[1] for entry in entries if (match := _TRIP.fullmatch(entry))})
        try:
            points = [self._trip(f"{folder}/trip_point_{number}") for number in numbers]
        except OSError as error:
            return absent_all(_TRIP_IDS, reason_of(error, unreadable("ENOENT")), folder)
        except UnreadableError as error:
            return absent_all(_TRIP_IDS, unreadable(str(error)), folder)
        passive = sorted(
            (value_c, number)
            for (kind, value_c), number in zip(points, numbers, strict=True)
            if kind == "passive"
        )
        critical = [value_c for kind, value_c in points if kind == "critical"]
        found = absent_all(_TRIP_IDS, NO_SENSOR, folder)
        if passive:
            lowest_c, number = passive[0]
            temperatures_c = tuple(value_c for value_c, _ in passive)
            found["thermal.trip_passive"] = Reading(lowest_c, "°C", folder)
            found["thermal.trips_passive"] = Reading(temperatures_c, "°C", folder)
            found["thermal.trip_hysteresis"] = self._hysteresis(f"{folder}/trip_point_{number}")
        if critical:
            found["thermal.trip_critical"] = Reading(min(critical), "°C", folder)
        elif str(context.value("board.soc") or "").startswith("rk"):
            found["thermal.trip_critical"] = Reading(
                DEFAULT_CRITICAL_C, "°C", "Rockchip device trees", flags=("assumed",)
            )
        return found

    def _trip(self, base: str) -> tuple[str, float]:
        kind = parse.word(self._files.read_once(f"{base}_type"))
        if kind not in ("passive", "active", "hot", "critical"):
            raise UnreadableError("malformed")
        raw = self._files.read_once(f"{base}_temp")
        return kind, parse.bounded(1, 200_000, raw) / 1000

    def _hysteresis(self, base: str) -> Reading:
        """Hysteresis of a trip in °C: how far below it the kernel ends its cooling. 0 is valid."""
        source = f"{base}_hyst"
        try:
            value_c = parse.bounded(0, 50_000, self._files.read_once(source)) / 1000
        except OSError as error:
            return Reading.absent(reason_of(error), "°C", source)
        except UnreadableError as error:
            return Reading.absent(unreadable(str(error)), "°C", source)
        return Reading(value_c, "°C", source)
