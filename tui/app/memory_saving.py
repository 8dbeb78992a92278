"""Reduces the memory of the process: OpenSSL is not loaded, and all threads share one heap.

OpenSSL is 5 MB, of which plain http needs nothing. Whoever imports ``ssl`` later gets it: httpx
does so for a server at https.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_HASHES = (("_md5",), ("_sha1",), ("_sha256", "_sha2"), ("_sha512", "_sha2"), ("_blake2",))
"""The modules of hashlib's own code, before and since Python 3.12; some systems leave them out."""
_M_ARENA_MAX = -8
"""mallopt(3)."""


def load_hashes_without_openssl() -> None:
    """Load hashlib and hmac with the interpreter's own code, where it has all of it."""
    if all(any(importlib.util.find_spec(name) for name in names) for names in _HASHES):
        with _absent("_hashlib"):
            import hmac  # noqa: F401


def load_asyncio_without_openssl() -> None:
    """Load asyncio as in a Python that was built without TLS: httpx has its own way to it."""
    with _absent("ssl"):
        import asyncio  # noqa: F401


def load_http_without_openssl() -> None:
    """The same for what httpx loads of the standard library, which httpx does not ask for TLS."""
    with _absent("ssl"):
        import urllib.request  # noqa: F401


@contextmanager
def _absent(*names: str) -> Iterator[None]:
    """Modules that are not loaded yet are as if not installed."""
    missing = [name for name in names if name not in sys.modules]
    for name in missing:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]


def share_one_heap() -> None:
    """Have all threads take memory from one heap, where the C library is glibc.

    It gives each thread a heap of its own, of which most stays empty: with eight threads that are
    2 MB. They wait for the interpreter's lock anyway.
    """
    with suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back_free_memory() -> None:
    """Return to the system what the start has freed (malloc_trim(3)); a millisecond."""
    with suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).malloc_trim(0)
