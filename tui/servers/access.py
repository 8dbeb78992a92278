"""Access to a server: address, API key, certificate authority, kind."""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

MAX_KEY_CHARS = 4096
_KEY = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Access:
    """``api_key`` goes out as ``Authorization: Bearer`` (RFC 6750) and is never shown.

    ``ca_files`` hold certificates (PEM) that are trusted beside the usual ones. ``kind`` is the
    name of its dialect (:data:`tui.servers.detect.KINDS`), where it was named.
    """

    api_key: str | None = field(default=None, repr=False)
    ca_files: tuple[str, ...] = ()
    kind: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.api_key is None else {"authorization": f"Bearer {self.api_key}"}

    def tls(self) -> ssl.SSLContext:
        """A context that trusts the usual authorities and these. Raises OSError, ssl.SSLError."""
        import httpx  # here: loading certificates takes 20 ms, and most servers speak plain HTTP

        context = httpx.create_ssl_context(trust_env=False)
        for ca_file in self.ca_files:
            _check_regular(ca_file)
            context.load_verify_locations(cafile=ca_file)
        return context


def checked_key(text: str) -> str:
    """A key that a header can hold. Raises ValueError, in whose sentence the key is not."""
    key = text.strip()
    if not _KEY.fullmatch(key) or len(key) > MAX_KEY_CHARS:
        raise ValueError(
            "the API key is empty, or holds spaces or letters that a header cannot carry"
        )
    return key


def _check_regular(path: str) -> None:
    """Raises OSError for a pipe or a device: the library of TLS would wait for its writer."""
    mode = Path(path).stat().st_mode
    if not stat.S_ISREG(mode):
        code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(
            code, os.strerror(code) if code == errno.EISDIR else "it is not a regular file"
        )


def check_ca_file(path: str) -> None:
    """Raises ValueError with one sentence where the file holds no certificate."""
    import ssl

    try:
        _check_regular(path)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise ValueError(f"{path} holds no certificate in PEM form") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from None
