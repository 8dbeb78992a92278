"""Remedies for absent readings: a sentence and, where one exists, a shell command."""

from __future__ import annotations

from tui.board.readers.reasons import (
    DEBUGFS_NOT_MOUNTED,
    NO_DRIVER,
    NO_PERMISSION,
    NO_RUNTIME,
    NO_SERVER,
    NOT_ON_THIS_KERNEL,
    STALE,
)
from tui.core.board.finding import Advice, Command
from tui.core.board.reading import Reading, Snapshot

VENDOR_KERNEL = (
    "RKLLM needs the vendor kernel (5.10 or 6.1) with the rknpu driver 0.9.8 or newer; "
    "this kernel runs without it."
)
NO_NPU = "This machine has no Rockchip NPU; npulse --demo shows a simulated board."
NPU_UNSEEN = (
    "No NPU can be seen from here: neither a device tree nor the rknpu driver. "
    "A container sees them if it has the host's /sys and /proc."
)
NO_DMC = "This kernel has no driver for the memory clock; it stays where the boot loader set it."
LOAD_COMMANDS = {
    NO_PERMISSION: Command("sudo npulse setup-npu-access --install"),
    DEBUGFS_NOT_MOUNTED: Command(
        "sudo mount -t debugfs none /sys/kernel/debug && sudo npulse setup-npu-access --install"
    ),
}
"""Shell command that makes the NPU's load readable, by the reason why it is not."""
LOAD_FROM_HOST = Advice(
    "This is a container: neither a mount nor a systemd unit has an effect in it. On the host, run "
    "npulse setup-npu-access --install as root, then start the container with the host's /run/npu "
    "(docker run -v /run/npu:/run/npu:ro)."
)
"""For a container: only its host can make the NPU's load readable."""
SETUP_ACCESS = "Only root can read the NPU load here; this opens that one folder to everybody:"
MOUNT_DEBUGFS = "The driver's files are in debugfs; this mounts it and opens that one folder:"
NO_LOAD_FILES = (
    "This kernel was built without the load file of the rknpu driver "
    "(CONFIG_ROCKCHIP_RKNPU_DEBUG_FS or CONFIG_ROCKCHIP_RKNPU_PROC_FS)."
)
FIRMWARE = Advice(
    "The boot firmware cannot change the memory clock on this kernel: "
    "update the boot loader to one with DDR scaling (see: sudo dmesg | grep dmc)."
)
NO_PSI = "This kernel does not measure memory pressure; add psi=1 to its command line."
NO_LOCAL_SERVER = (
    "No process of an rkllm server runs on this machine; "
    "what a server elsewhere takes cannot be seen from here."
)
INSTALL_RUNTIME = (
    "librkllmrt.so is not in the library folders; its version is then only known to the server."
)


def remedy(reading_id: str, reading: Reading, snapshot: Snapshot) -> str | None:
    """How to make this value available, as a sentence. None where nothing helps or nothing is
    needed. A sentence that ends in a colon is followed by :func:`remedy_command`."""
    reason = reading.reason
    group = reading_id.partition(".")[0]
    if group == "npu" and reason == NO_DRIVER:
        return VENDOR_KERNEL if is_rockchip(snapshot) else no_npu(snapshot)
    if reading_id == "npu.load":
        if reason in LOAD_COMMANDS and is_container(snapshot):
            return LOAD_FROM_HOST
        return _load_remedy(reading)
    if group == "ddr" and "firmware" in reading.flags:
        return FIRMWARE
    if reading_id == "ddr.freq" and reason == NOT_ON_THIS_KERNEL and has_rknpu(snapshot):
        return NO_DMC
    fixed = {
        ("psi.memory", NOT_ON_THIS_KERNEL): NO_PSI,
        ("server.pid", NO_SERVER): NO_LOCAL_SERVER,
        ("npu.runtime", NO_RUNTIME): INSTALL_RUNTIME if is_rockchip(snapshot) else None,
    }
    return fixed.get((reading_id, str(reason)))


def remedy_command(reading_id: str, reading: Reading, snapshot: Snapshot) -> Command | None:
    """The shell command for :func:`remedy`; None without one, and in a container."""
    if reading_id != "npu.load" or is_container(snapshot):
        return None
    return LOAD_COMMANDS.get(str(reading.reason))


def load_fix(snapshot: Snapshot) -> str | None:
    """How to make the NPU's load readable: a command, else a sentence; None where nothing helps."""
    reading = snapshot.get("npu.load")
    return remedy_command("npu.load", reading, snapshot) or remedy("npu.load", reading, snapshot)


def command_here(command: Command, snapshot: Snapshot) -> Command | Advice:
    """The command itself, or in a container, for a command with sudo, the advice to run it on the
    host: a container cannot write to /sys."""
    if "sudo " not in command or not is_container(snapshot):
        return command
    return Advice(f"This is a container: run on its host: {command}")


def remedies(snapshot: Snapshot) -> list[str]:
    """The remedies of all absent readings, without duplicates, in the order of the readings."""
    found = (
        _whole(name, snapshot.get(name), snapshot)
        for name in snapshot.readings
        if snapshot.get(name).value is None
    )
    return list(dict.fromkeys(text for text in found if text))


def _whole(reading_id: str, reading: Reading, snapshot: Snapshot) -> str | None:
    way = remedy(reading_id, reading, snapshot)
    command = remedy_command(reading_id, reading, snapshot)
    return f"{way} {command}" if way and command else way


def is_rockchip(snapshot: Snapshot) -> bool:
    """Whether this is a Rockchip board: by the SoC in the device tree or, where that is hidden (in
    a container), by a value that only the rknpu driver gives."""
    return (snapshot.text("board.soc") or "").startswith(("rk", "rv", "px")) or has_rknpu(snapshot)


def is_container(snapshot: Snapshot) -> bool:
    """Whether this is a container: by the marks in its root, or because the rknpu driver works
    while the device tree is hidden, which only happens in a container."""
    if snapshot.get("board.container").value is not None:
        return True
    is_hidden = snapshot.get("board.soc").reason == NOT_ON_THIS_KERNEL
    return is_hidden and has_rknpu(snapshot)


def has_rknpu(snapshot: Snapshot) -> bool:
    """Whether anything that was read comes from the rknpu driver."""
    names = ("npu.driver", "npu.freq", "npu.load", "npu.activity")
    return any(snapshot.get(name).value is not None for name in names)


def no_npu(snapshot: Snapshot) -> str:
    """The sentence for a machine without an NPU: that it has none if the machine is identified,
    else only that none is visible."""
    soc = snapshot.get("board.soc")
    is_known = snapshot.get("board.model").value is not None or soc.value is not None
    return NO_NPU if is_known or soc.reason == "not a Rockchip SoC" else NPU_UNSEEN


def _load_remedy(reading: Reading) -> str | None:
    if reading.reason == STALE:
        return f"The sampler that wrote {reading.source} has stopped: start it again."
    return {
        NO_PERMISSION: SETUP_ACCESS,
        DEBUGFS_NOT_MOUNTED: MOUNT_DEBUGFS,
        NOT_ON_THIS_KERNEL: NO_LOAD_FILES,
    }.get(str(reading.reason))
