"""Files below a root directory, read with cached descriptors: one ``pread`` from offset 0 each.

Files of /proc and /sys give their value anew on every read from offset 0, so a descriptor stays
open for as long as it works. After a module was reloaded the old descriptor fails with EIO, ENODEV
or ENOENT; then the path is opened again at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

READ_BYTES = 4096
"""A page: what sysfs gives at most."""

CHUNK_BYTES = 1 << 16

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class _Open(NamedTuple):
    fd: int
    device: int
    inode: int


class Files:
    """Reads below ``root``. Paths are absolute as on the board: ``/proc/meminfo``.

    Below any root but ``/``, and for ``/run`` everywhere, files lie on a real file system, where
    one that was replaced by a rename would go on giving its old content through the descriptor.
    There the path is compared with the descriptor before each read. ``open_file`` and ``pread``
    are the system's own; tests pass failing ones.
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
        """Whether the files are those of the machine that npulse runs on."""
        return self._prefix == ""

    def full(self, path: str) -> str:
        """The path on this machine of ``path`` on the board."""
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
        """Up to ``limit`` bytes in as many reads as it takes: /proc/interrupts gives one page a
        read, however much is asked for. Raises OSError."""
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
        """Like :meth:`read` without keeping the descriptor: for what is read once or seldom."""
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
        """Whether something is there; False also where the way to it is closed."""
        try:
            os.stat(self._prefix + path)  # noqa: PTH116 - as above
        except OSError:
            return False
        return True

    def stat(self, path: str) -> os.stat_result:
        """Size and times of a file. Raises OSError."""
        return os.stat(self._prefix + path)  # noqa: PTH116 - as above

    def link(self, path: str) -> str | None:
        """Where a symbolic link points, or None where that cannot be seen."""
        try:
            return os.readlink(self._prefix + path)  # noqa: PTH115 - as above
        except OSError:
            return None

    def forget(self, path: str) -> None:
        """Close the descriptor of one path, if there is one."""
        known = self._cache.pop(path, None)
        if known is not None:
            os.close(known.fd)

    def forget_below(self, directory: str) -> None:
        """Close every descriptor below a directory that is gone."""
        for path in [path for path in self._cache if path.startswith(directory)]:
            self.forget(path)

    def close(self) -> None:
        """Close every descriptor. A later read opens again."""
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
