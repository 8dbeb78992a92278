"""Files below a root directory, read through cached descriptors: one ``pread`` at offset 0 each.

Files of /proc and /sys produce a new value at every read from offset 0, so descriptors stay open.
After a kernel module was reloaded, the old descriptor fails with EIO, ENODEV or ENOENT; the path is
then opened again at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

READ_BYTES = 4096
"""One page, the most that a sysfs attribute holds."""

CHUNK_BYTES = 1 << 16

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class _Open(NamedTuple):
    fd: int
    device: int
    inode: int


class Files:
    """Reads below ``root``. Paths are absolute as on the board: ``/proc/meminfo``.

    Below a root other than ``/``, and below ``/run``, files are regular ones. One that is replaced
    by a rename would still give its old content through the cached descriptor, so the path's inode
    is compared before each read. ``open_file`` and ``pread`` are os.open and os.pread; tests pass
    failing ones. Not thread-safe.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        *,
        open_file: Callable[[str, int], int] = os.open,
        pread: Callable[[int, int, int], bytes] = os.pread,
    ) -> None:
        text = str(root.absolute())
        self.root = root
        self._prefix = "" if text == "/" else text
        self._open_file = open_file
        self._pread = pread
        self._cache: dict[str, _Open] = {}

    @property
    def is_this_machine(self) -> bool:
        """Whether the root is ``/``: the files are those of the machine that npulse runs on."""
        return self._prefix == ""

    def full(self, path: str) -> str:
        """The path with the root before it."""
        return self._prefix + path

    def read(self, path: str, limit: int = READ_BYTES) -> bytes:
        """The first ``limit`` bytes, through a cached descriptor. Raises OSError."""
        known = self._known(path)
        if known is not None:
            try:
                return self._pread(known.fd, limit, 0)
            except OSError:
                self.forget(path)
        fd = self._open(path)
        try:
            return self._pread(fd, limit, 0)
        except OSError:
            self.forget(path)
            raise

    def read_all(self, path: str, limit: int = 1 << 18) -> bytes:
        """Up to ``limit`` bytes, in several reads if needed: /proc/interrupts returns at most one
        page a read. Raises OSError."""
        data = self.read(path, min(limit, CHUNK_BYTES))
        if not data:
            return data
        fd = self._cache[path].fd
        parts = [data]
        size = len(data)
        while size < limit:
            try:
                more = self._pread(fd, min(limit - size, CHUNK_BYTES), size)
            except OSError:
                self.forget(path)
                raise
            if not more:
                break
            parts.append(more)
            size += len(more)
        return b"".join(parts)

    def read_once(self, path: str, limit: int = READ_BYTES) -> bytes:
        """Like :meth:`read` without a cached descriptor, for files read once or seldom."""
        fd = self._open_file(self._prefix + path, _FLAGS)
        try:
            return self._pread(fd, limit, 0)
        finally:
            os.close(fd)

    def names(self, path: str) -> list[str]:
        """The sorted entries of a directory; empty where it cannot be listed."""
        try:
            return sorted(os.listdir(self._prefix + path))  # noqa: PTH208 - ten times faster
        except OSError:
            return []

    def exists(self, path: str) -> bool:
        """Whether the path exists; False also if a folder on its way may not be searched."""
        try:
            os.stat(self._prefix + path)  # noqa: PTH116 - as above
        except OSError:
            return False
        return True

    def stat(self, path: str) -> os.stat_result:
        """Status of a file, following links. Raises OSError."""
        return os.stat(self._prefix + path)  # noqa: PTH116 - as above

    def link(self, path: str) -> str | None:
        """The target of a symbolic link, or None if it cannot be read."""
        try:
            return os.readlink(self._prefix + path)  # noqa: PTH115 - as above
        except OSError:
            return None

    def forget(self, path: str) -> None:
        """Close the cached descriptor of one path, if there is one."""
        known = self._cache.pop(path, None)
        if known is not None:
            os.close(known.fd)

    def forget_below(self, directory: str) -> None:
        """Close every cached descriptor whose path begins with ``directory``."""
        for path in [path for path in self._cache if path.startswith(directory)]:
            self.forget(path)

    def close(self) -> None:
        """Close every cached descriptor. A later read opens its file again."""
        for path in list(self._cache):
            self.forget(path)

    def _known(self, path: str) -> _Open | None:
        known = self._cache.get(path)
        if known is None or not (self._prefix or path.startswith("/run/")):
            return known
        try:
            now = os.stat(self._prefix + path)  # noqa: PTH116 - as above
        except OSError:
            self.forget(path)
            raise
        if (now.st_dev, now.st_ino) != (known.device, known.inode):
            self.forget(path)
            return None
        return known

    def _open(self, path: str) -> int:
        fd = self._open_file(self._prefix + path, _FLAGS)
        try:
            status = os.fstat(fd)
        except OSError:
            os.close(fd)
            raise
        self._cache[path] = _Open(fd, status.st_dev, status.st_ino)
        return fd
