"""Small JSON records in the state folder: one version each, written whole, for their owner
only where nothing else is asked for.

What stands in the place of a record and is none (a damaged file, one of another version) is never
overwritten: it is renamed before the first write.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from tui.core.text.sanitize import clean_line
from tui.files.private import FILE_MODE, write_whole
from tui.settings.regular_file import read_bounded, reason_of

MAX_RECORD_BYTES = 4 << 20
MAX_SET_ASIDE = 99

T = TypeVar("T", bound=Struct)


class _Versioned(Struct, frozen=True):
    version: int = 1


def read_record(path: Path, kind: type[T], version: int) -> tuple[T | None, str | None]:
    """The record; None where there is none, with the beginning of a sentence where a file is there
    that cannot be used. Never raises."""
    try:
        raw = read_bounded(path, MAX_RECORD_BYTES)
    except FileNotFoundError:
        return None, None
    except (OSError, ValueError) as error:
        return None, clean_line(f"{path} cannot be read: {reason_of(error)}")
    try:
        if msgspec.json.decode(raw, type=_Versioned).version != version:
            return None, clean_line(f"{path} was written by another version of npulse")
        return msgspec.json.decode(raw, type=kind), None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, clean_line(f"{path} is damaged")


def write_record(path: Path, record: Struct, version: int, mode: int = FILE_MODE) -> str | None:
    """Writes the record whole or not at all. Returns why it could not be written, as a clause.

    A full or read-only disk is no reason to stop.
    """
    try:
        encoded = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
        if len(encoded) > MAX_RECORD_BYTES:
            return f"it would be larger than {MAX_RECORD_BYTES >> 20} MiB"
        _make_room(path, type(record), version)
        write_whole(path, encoded, mode)
    except (OSError, ValueError) as error:
        return clean_line(reason_of(error))
    return None


def _make_room(path: Path, kind: type[Struct], version: int) -> None:
    """Renames a file that is no such record. Raises OSError where that is no plain file."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    record, problem = read_record(path, kind, version)
    if record is None and problem is not None:
        path.rename(_free_name(path))


def _free_name(path: Path) -> Path:
    names = [f"{path.name}.old"] + [f"{path.name}.old-{n}" for n in range(2, MAX_SET_ASIDE)]
    free = (path.with_name(name) for name in names if not os.path.lexists(path.with_name(name)))
    found = next(free, None)
    if found is None:
        raise OSError(errno.EEXIST, f"too many files named {path.name}.old are there", str(path))
    return found
