"""Error sentences for failed requests: each names the address and what to do.

Server text in these sentences is sanitised, on one line, and bounded. Nothing here raises.
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterable, Iterator

import httpx

from tui.core.text.sanitize import clean_line
from tui.core.types import TurnError
from tui.servers.address import masked, shown_url
from tui.servers.dialects.error_text import body_message, quoted

MAX_SENTENCE_CHARS = 400

BUSY_STATUSES = (503, 429)
"""Statuses of a server that would take the same request later."""
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)


def _error(kind: str, sentence: str) -> TurnError:
    return TurnError(kind, clean_line(masked(sentence), MAX_SENTENCE_CHARS))


def duration(seconds: float) -> str:
    """Seconds in words: ``5 s``, ``2 min``, ``1 h``."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:.0f} s"


# -- what a server says about its own error ------------------------------------------------------


def http_status(
    url: str,
    status: int,
    content_type: str,
    text: str,
    retry_after: str | None = None,
    location: str | None = None,
) -> TurnError:
    """A response that is not 2xx, with the server's own words. ``url`` is what was asked, with its
    path; ``location`` where a redirect points."""
    message = body_message(text, content_type)
    said = f": {quoted(message)}" if message else " without saying why"
    if status == 422:
        return _error("validation", f"{url} refused the request{said}.")
    if status in BUSY_STATUSES:
        wait = f" It asks to wait {clean_line(retry_after, 40)} s." if retry_after else ""
        return _error("busy", f"{url} is busy (HTTP {status}){said}.{wait} Try again in a moment.")
    if 300 <= status < 400:
        where = f" to {shown_url(location)}" if location else ""
        return _error(
            "http",
            f"{url} redirects (HTTP {status}){where}, which npulse does not follow; "
            "give the final address as --url.",
        )
    if status == 404:
        return _error("http", f"{url} has no such route or model (HTTP 404){said}.")
    if status in (401, 403):
        return _error("http", f"{url} wants a login (HTTP {status}){said}.")
    return _error("http", f"{url} answered HTTP {status}{said}.")


def busy_reason(status: int, content_type: str, text: str) -> str:
    """Why a server does not take a prompt now, as a clause, in its own words where it has some."""
    message = body_message(text, content_type)
    return f"server busy: {quoted(message)}" if message else f"server busy (HTTP {status})"


def transport(error: Exception, url: str, connect_s: float) -> TurnError:
    """A request that never got an answer."""
    causes = tuple(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        host = httpx.URL(url).host
        return _error("dns", f"No address is known for the host {host!r}; check --url.")
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return _error(
            "connect_timeout",
            f"{url} did not take a connection within {duration(connect_s)}; "
            "is the board on, and on this network?",
        )
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return _error(
            "refused", f"No server listens on {url} (connection refused); start it, or give --url."
        )
    if any(isinstance(cause, OSError) and cause.errno in _UNREACHABLE for cause in causes):
        return _error("io", f"There is no route to {url} (host unreachable); check the network.")
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return _error("io", f"{url} is not the address of an HTTP server: give http://HOST:PORT.")
    if isinstance(error, httpx.RemoteProtocolError):
        return closed(url) if "disconnected" in str(error) else not_http(url, str(error))
    untrusted = _tls_error(causes, url)
    if untrusted is not None:
        return untrusted
    if isinstance(error, httpx.ConnectError):
        reason = clean_line(str(error), 120) or "no reason given"
        return _error("io", f"{url} cannot be connected to ({reason}).")
    reason = clean_line(str(error), 120) or type(error).__name__
    return _error("io", f"The connection to {url} failed before an answer ({reason}).")


def _tls_error(causes: Iterable[BaseException], url: str) -> TurnError | None:
    if "_ssl" not in sys.modules:
        return None  # nothing spoke TLS; it takes 5 MB to ask for its errors
    import ssl

    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            said = clean_line(cause.verify_message, 120)
            return _error(
                "io",
                f"{url} shows a certificate that is not trusted ({said}); "
                "your own authority goes into [server] ca_file.",
            )
        if isinstance(cause, ssl.SSLError):
            said = clean_line(cause.reason or "TLS failed", 120)
            return _error("io", f"{url} does not speak TLS as wanted ({said}); is it http://?")
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it was raised from, groups included."""
    seen: set[int] = set()
    todo: list[BaseException] = [error]
    while todo:
        current = todo.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = getattr(current, "exceptions", ())
        todo += [item for item in inner if isinstance(item, BaseException)]
        todo += [item for item in (current.__cause__, current.__context__) if item is not None]


def closed(url: str) -> TurnError:
    return _error(
        "io", f"{url} closed the connection without an answer; is the server starting or crashing?"
    )


def not_http(url: str, reason: str) -> TurnError:
    said = clean_line(reason, 120)
    return _error("protocol", f"What answers at {url} does not speak HTTP ({said}); check --url.")


def no_first_byte(url: str, waited_s: float) -> TurnError:
    return _error(
        "no_first_byte",
        f"{url} took the request and sent no text within {duration(waited_s)}; "
        "it may be busy with another answer, or hang.",
    )


def stalled(url: str, n_chunks: int, idle_s: float) -> TurnError:
    return _error(
        "stalled",
        f"{url} stalled after {_tokens(n_chunks)}: nothing for {duration(idle_s)}. "
        "What had arrived is kept.",
    )


def cut(url: str, n_chunks: int, reason: str = "") -> TurnError:
    when = f"after {_tokens(n_chunks)}" if n_chunks else "before the first token"
    # That the end is missing is what the sentence says already.
    says_more = reason and not reason.startswith("peer closed connection")
    why = f" ({clean_line(reason, 120)})" if says_more else ""
    kept = " What had arrived is kept." if n_chunks else " Did the server crash?"
    return _error("cut", f"{url} cut the stream {when}, without an end{why}.{kept}")


def _tokens(n_chunks: int) -> str:
    """A chunk is not always a token, so the number is marked as an estimate."""
    return f"~{n_chunks} {'token' if n_chunks == 1 else 'tokens'}"


def nonsense(url: str, reason: str) -> TurnError:
    return _error("protocol", f"{url} sent {clean_line(reason, 200)}; is it an LLM server?")


def refused_setting(sentence: str) -> TurnError:
    return _error("validation", sentence)


def internal(error: Exception) -> TurnError:
    """A fault of our own: the answer ends, npulse does not."""
    said = clean_line(str(error), 120)
    return _error("io", f"npulse could not process this answer ({type(error).__name__}: {said}).")
