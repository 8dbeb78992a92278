"""RAM and the model's share of it, swap, zram, and memory pressure.

Weights and KV cache are pinned shared memory of the NPU driver. They count in Shmem (a part of
Cached), in Unevictable and in the process's RssShmem, and are never swapped out. "Total minus free,
buffers and cached" would omit a model; MemAvailable does not.
"""

from __future__ import annotations

import re

from tui.board.readers import parse
from tui.board.readers.attribute import absent_all
from tui.board.readers.files import Files
from tui.board.readers.reasons import (
    NO_DRIVER,
    NOT_ON_THIS_KERNEL,
    UnreadableError,
    reason_of,
    unreadable,
)
from tui.board.readers.sample_context import SampleContext
from tui.core.board.reading import Reading

MEMINFO = "/proc/meminfo"
BLOCK_DIR = "/sys/block"
PRESSURE = "/proc/pressure/memory"

_IDS = (
    "ram.total",
    "ram.available",
    "ram.used",
    "ram.model",
    "ram.shmem",
    "ram.unevictable",
    "ram.cma_total",
    "ram.cma_free",
    "swap.total",
    "swap.used",
)
_PRESSURE = re.compile(rb"^(some|full) avg10=([0-9]{1,3}\.[0-9]{1,2}) ", re.MULTILINE)


class Memory:
    """Reads ``ram.*`` and ``swap.*`` in bytes. The sample must have ``server.*`` already."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """All readings, from one read of /proc/meminfo."""
        try:
            fields = parse.kilobyte_fields(self._files.read(MEMINFO))
        except OSError as error:
            return absent_all(dict.fromkeys(_IDS, "B"), reason_of(error), MEMINFO)
        total = fields.get("MemTotal")
        if not total:
            return absent_all(dict.fromkeys(_IDS, "B"), unreadable("malformed"), MEMINFO)
        available = _available(fields, total)
        return {
            "ram.total": _bytes(total),
            "ram.available": available,
            "ram.used": _used(total, available),
            "ram.model": _model(context, fields, total),
            "ram.shmem": _part(fields, "Shmem", total),
            "ram.unevictable": _part(fields, "Unevictable", total),
            "ram.cma_total": _part(fields, "CmaTotal", total),
            "ram.cma_free": _part(fields, "CmaFree", total),
            **_swap(fields),
        }


def _bytes(value: int, *flags: str) -> Reading:
    return Reading(value, "B", MEMINFO, flags=flags)


def _part(fields: dict[str, int], name: str, total: int) -> Reading:
    value = fields.get(name)
    if value is None:
        return Reading.absent(NOT_ON_THIS_KERNEL, "B", MEMINFO)
    return _bytes(value) if value <= total else _implausible()


def _implausible() -> Reading:
    return Reading.absent(unreadable("implausible"), "B", MEMINFO)


def _available(fields: dict[str, int], total: int) -> Reading:
    """MemAvailable; on kernels before 3.14, which lack it, an estimate from the other fields."""
    value = fields.get("MemAvailable")
    if value is not None:
        return _bytes(value) if value <= total else _implausible()
    free, cached = fields.get("MemFree"), fields.get("Cached")
    if free is None or cached is None:
        return Reading.absent(NOT_ON_THIS_KERNEL, "B", MEMINFO)
    reclaimable = fields.get("Buffers", 0) + max(0, cached - fields.get("Shmem", 0))
    estimate = free + reclaimable + fields.get("SReclaimable", 0)
    return _bytes(estimate, "estimated") if estimate <= total else _implausible()


def _used(total: int, available: Reading) -> Reading:
    if not isinstance(available.value, int):
        return available
    return Reading(total - available.value, "B", MEMINFO, flags=available.flags)


def _model(context: SampleContext, fields: dict[str, int], total: int) -> Reading:
    """RAM of the model: the server's shared memory (RssShmem).

    If that is unknown, or less than half of the board's pinned shared memory, it is the latter
    (the smaller of Shmem and Unevictable), flagged ``estimated``. Only the vendor's driver keeps a
    model in such memory; without it the reading is absent.
    """
    load = context.readings.get("npu.load")
    if load is not None and load.reason == NO_DRIVER:
        return Reading.absent(NO_DRIVER, "B", MEMINFO)
    shared, pinned = fields.get("Shmem"), fields.get("Unevictable")
    mapped = context.readings.get("server.rss_shmem")
    mapped_bytes = mapped.value if mapped is not None else None
    if shared is None or shared > total or (pinned is not None and pinned > total):
        if mapped is not None and isinstance(mapped_bytes, int):
            return mapped
        return Reading.absent(NOT_ON_THIS_KERNEL, "B", MEMINFO)
    value = shared if pinned is None else min(shared, pinned)
    if mapped is not None and isinstance(mapped_bytes, int) and 2 * mapped_bytes >= value:
        return mapped
    source = f"{MEMINFO} {'Shmem' if pinned is None else 'Shmem, Unevictable'}"
    return Reading(value, "B", source, flags=("estimated",))


def _swap(fields: dict[str, int]) -> dict[str, Reading]:
    total, free = fields.get("SwapTotal"), fields.get("SwapFree")
    if total is None or free is None:
        return absent_all({"swap.total": "B", "swap.used": "B"}, NOT_ON_THIS_KERNEL, MEMINFO)
    used = _bytes(total - free) if free <= total else _implausible()
    return {"swap.total": _bytes(total), "swap.used": used}


class Zram:
    """Reads ``zram.used`` (size of the stored data), ``zram.compressed`` (memory it occupies), both
    in bytes, and ``zram.ratio`` (data by its compressed size), over all zram devices.

    Columns of mm_stat (kernel documentation, zram): orig_data_size, compr_data_size,
    mem_used_total, ...
    """

    _IDS = {"zram.used": "B", "zram.compressed": "B", "zram.ratio": ""}

    def __init__(self, files: Files) -> None:
        self._files = files

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """The sums over all devices; absent without a zram device."""
        disks = [name for name in self._files.names(BLOCK_DIR) if name.startswith("zram")]
        if not disks:
            return absent_all(self._IDS, NOT_ON_THIS_KERNEL, BLOCK_DIR)
        source = f"{BLOCK_DIR}/{disks[0]}/mm_stat"
        used = compressed = taken = 0
        for disk in disks:
            try:
                columns = self._files.read(f"{BLOCK_DIR}/{disk}/mm_stat").split()
                numbers = [parse.bounded(0, 1 << 50, column) for column in columns[:3]]
            except OSError as error:
                return absent_all(self._IDS, reason_of(error), source)
            except UnreadableError as error:
                return absent_all(self._IDS, unreadable(str(error)), source)
            if len(numbers) < 3:
                return absent_all(self._IDS, unreadable("malformed"), source)
            used, compressed, taken = (
                used + numbers[0],
                compressed + numbers[1],
                taken + numbers[2],
            )
        ratio = (
            Reading(round(used / compressed, 2), "", source)
            if compressed
            else Reading.absent("nothing compressed", "", source)
        )
        return {
            "zram.used": Reading(used, "B", source),
            "zram.compressed": Reading(taken, "B", source),
            "zram.ratio": ratio,
        }


class Pressure:
    """Reads ``psi.memory`` and ``psi.memory_full``: per cent of the last 10 s in which some, or
    all, processes waited for memory (pressure stall information, avg10). With ``psi=0`` the file
    exists but reading it fails with EOPNOTSUPP."""

    _IDS = {"psi.memory": "%", "psi.memory_full": "%"}

    def __init__(self, files: Files) -> None:
        self._files = files

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """Both readings."""
        try:
            raw = self._files.read(PRESSURE)
        except OSError as error:
            return absent_all(self._IDS, reason_of(error), PRESSURE)
        shares = {kind.decode(): float(share) for kind, share in _PRESSURE.findall(raw)}
        return {
            "psi.memory": _share(shares.get("some")),
            "psi.memory_full": _share(shares.get("full")),
        }


def _share(value: float | None) -> Reading:
    if value is None:
        return Reading.absent(unreadable("malformed"), "%", PRESSURE)
    if value > 100:
        return Reading.absent(unreadable("implausible"), "%", PRESSURE)
    return Reading(value, "%", PRESSURE)
