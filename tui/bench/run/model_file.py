"""Finds the model file of a server process, and computes its hash once."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

from tui.files.private import write_whole

CACHE_FILE = "model_hashes.json"
CHUNK_BYTES = 4 << 20
MAX_MAPS_BYTES = 8 << 20
_MAPPED = re.compile(r"\s(/\S.*\.(?:rkllm|gguf))$", re.MULTILINE)


def find(pid: int | None, root: Path | None) -> Path | None:
    """The model file that the process has mapped or open; None if that is not visible."""
    if pid is None or root is not None:
        # With another root, the paths are those of another machine.
        return None
    process = Path("/proc") / str(pid)
    try:
        with (process / "maps").open("r", errors="replace") as file:
            maps = file.read(MAX_MAPS_BYTES)
        match = _MAPPED.search(maps)
        if match is not None:
            return Path(match[1])
        for entry in (process / "fd").iterdir():
            target = str(entry.readlink())
            if target.endswith((".rkllm", ".gguf")):
                return Path(target)
    except OSError:
        return None
    return None


def sha256(path: Path, cache_folder: Path) -> str | None:
    """SHA-256 of the file, from the cache if path, size, time and inode are unchanged.

    Blocks: run it in a thread. None if the file cannot be read.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    mark = f"{path}:{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
    cache = _read_cache(cache_folder)
    if mark in cache:
        return cache[mark]
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while data := file.read(CHUNK_BYTES):
                digest.update(data)
    except OSError:
        return None
    cache[mark] = digest.hexdigest()
    try:
        write_whole(cache_folder / CACHE_FILE, json.dumps(cache, indent=1).encode())
    except OSError:
        pass  # it will be hashed again the next time
    return cache[mark]


def _read_cache(folder: Path) -> dict[str, str]:
    try:
        value = json.loads((folder / CACHE_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}


def drop_from_page_cache(path: Path) -> bool:
    """Drop a file's pages from the page cache (posix_fadvise, no root needed). False on failure."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True
