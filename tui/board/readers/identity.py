"""Board model, SoC, kernel, and whether the board is simulated."""

from __future__ import annotations

import re

from tui.board.readers import parse
from tui.board.readers.files import Files
from tui.board.readers.reasons import NOT_ON_THIS_KERNEL, UnreadableError, reason_of, unreadable
from tui.board.readers.sample_context import SampleContext
from tui.core.board.reading import Reading

DEVICE_TREES = ("/proc/device-tree", "/sys/firmware/devicetree/base")
"""On a board the first is a link to the second; in a copied tree the link may be dangling."""
DMI_DIR = "/sys/class/dmi/id"
VERSION = "/proc/version"
CPUINFO = "/proc/cpuinfo"
SIMULATED = "/npulse-simulated"
"""Marks the root directory of a simulated board; the content is the name of the profile."""

CONTAINER_MARKS = {
    "/.dockerenv": "docker",
    "/run/.containerenv": "podman",
    "/run/systemd/container": "systemd",
}
"""Files that container engines create in a container's root, and the engine's name."""
CGROUP = "/proc/1/cgroup"

_CGROUP = re.compile(rb"[/:.-](docker|libpod|lxc|kubepods|containerd|crio|garden)\b")
_SOC = re.compile(r"rockchip,((?:rk|rv|px)[0-9]{2,5}[a-z]?)(?:-.*)?")
_RELEASE = re.compile(rb"Linux version (\S{1,80})")
_CPU_NAME = re.compile(rb"^model name\s*:\s*(\S.*)$", re.MULTILINE)


def soc_of(compatible: bytes) -> str | None:
    """The SoC, such as ``rk3588``, from a device tree's ``compatible``; None for another vendor's.

    The last entry names the SoC, the entries before it the board. Read from the end, as a board's
    name may contain the digits of another SoC.
    """
    for entry in reversed(parse.strings(compatible)):
        if match := _SOC.fullmatch(entry):
            return match[1]
    return None


class Identity:
    """Reads ``board.model``, ``board.soc`` and ``board.kernel``; also ``board.simulated`` on a
    simulated board and ``board.container`` in a container."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """All readings. On a PC the model is that of its firmware (DMI) and CPU, flagged
        ``host``."""
        found = {
            "board.model": self._model(),
            "board.soc": self._soc(),
            "board.kernel": self._kernel(),
        }
        try:
            profile = parse.word(self._files.read_once(SIMULATED))
            found["board.simulated"] = Reading(profile, "", SIMULATED, flags=("simulated",))
        except OSError:
            pass
        except UnreadableError:
            found["board.simulated"] = Reading("unnamed", "", SIMULATED, flags=("simulated",))
        if (container := self._container()) is not None:
            found["board.container"] = container
        return found

    def _container(self) -> Reading | None:
        """The container engine; None where neither a file nor the cgroup of process 1 names one."""
        for path, kind in CONTAINER_MARKS.items():
            if self._files.exists(path):
                return Reading(kind, "", path)
        try:
            match = _CGROUP.search(self._files.read_once(CGROUP))
        except OSError:
            return None
        return None if match is None else Reading(match[1].decode(), "", CGROUP)

    def _model(self) -> Reading:
        first: Reading | None = None
        for tree in DEVICE_TREES:
            try:
                name = parse.word(self._files.read_once(f"{tree}/model"))
                return Reading(name, "", f"{tree}/model")
            except OSError as error:
                reason = reason_of(error)
            except UnreadableError as error:
                reason = unreadable(str(error))
            if first is None or reason != NOT_ON_THIS_KERNEL:
                first = Reading.absent(reason, "", f"{tree}/model")
        words = [self._dmi("sys_vendor"), self._dmi("product_name")]
        name = " ".join(word for word in words if word)
        if name:
            return Reading(name, "", f"{DMI_DIR}/product_name", flags=("host",))
        return first or Reading.absent(NOT_ON_THIS_KERNEL)

    def _soc(self) -> Reading:
        for tree in DEVICE_TREES:
            try:
                raw = self._files.read_once(f"{tree}/compatible")
            except OSError:
                continue
            soc = soc_of(raw)
            source = f"{tree}/compatible"
            if soc is not None:
                return Reading(soc, "", source)
            return Reading.absent("not a Rockchip SoC", "", source)
        try:
            match = _CPU_NAME.search(self._files.read_once(CPUINFO))
            if match:
                return Reading(parse.word(match[1]), "", CPUINFO, flags=("host",))
        except (OSError, UnreadableError):
            pass
        return Reading.absent(NOT_ON_THIS_KERNEL, "", f"{DEVICE_TREES[0]}/compatible")

    def _kernel(self) -> Reading:
        try:
            match = _RELEASE.match(self._files.read_once(VERSION))
        except OSError as error:
            return Reading.absent(reason_of(error), "", VERSION)
        if match is None:
            return Reading.absent(unreadable("malformed"), "", VERSION)
        return Reading(parse.word(match[1]), "", VERSION)

    def _dmi(self, name: str) -> str | None:
        try:
            return parse.word(self._files.read_once(f"{DMI_DIR}/{name}"))
        except (OSError, UnreadableError):
            return None
