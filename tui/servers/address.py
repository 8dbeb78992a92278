"""Server addresses: parses pasted URLs, masks secrets, and detects addresses of this machine.

Loads nothing of HTTP, because the dashboard needs it before its first paint.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from tui.core.text.sanitize import clean_line

MAX_URL_CHARS = 2000
MAX_SHOWN_CHARS = 200

ENDPOINTS = (
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/models/available",
    "/v1/models/loaded",
    "/v1/models/load",
    "/v1/models/unload",
    "/v1/models",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/messages",
    "/v1/chat",
    "/v1",
    "/chat/completions",
    "/completions",
    "/completion",
    "/tokenize",
    "/props",
    "/slots",
    "/metrics",
    "/docs",
    "/openapi.json",
    "/api/chat",
    "/api/generate",
    "/api/tags",
    "/api/ps",
    "/api/show",
    "/api/version",
    "/api/embed",
    "/api/embeddings",
    "/rkllm_chat",
    "/health",
)
"""Paths of the API of the known servers. Pasted as an address they stand for their server."""

AROUND = " \t\r\n\"'`<>()“”‘’,;."
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._~-]+)?\]")
_USERINFO = re.compile(r"\A((?:[A-Za-z0-9+.-]{0,20}:)?//|).*@", re.DOTALL)
"""Up to the last @: a password may hold any letter, and hiding too much does no harm."""
_ANY_USERINFO = re.compile(
    r"(?!(?<=ssh)://[A-Za-z0-9_.-]{1,64}@[^\s'\"@]*(?:[\s'\"]|$))(://)[^\s'\"]{0,2000}@"
)
"""A user of ssh alone is no secret, and is needed to know which board is meant."""
_SCHEMELESS = re.compile(r"(?<![^\s'\"])[^\s'\"/:@]{1,100}:[^\s'\"/@]{1,200}@(?=[A-Za-z0-9\[])")
_SECRET_NAME = re.compile(
    r"(?i)([?&;](?:[^=&#;]*[_-])?(?:api-?key|key|token|secret|password|passwd|pwd|auth|sig"
    r"|signature|credential|access_?key|apikey)=)[^&#;\s]*"
)
_PATH = re.compile(r"(?<=://)([^\s'\"<>/?#]*)(/[^\s'\"<>?#]{1,2000})")
"""Host and path of an address in a sentence."""
_SEGMENT = re.compile(r"[^/]{16,}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_KEY_START = re.compile(r"(?:(?i:sk|pk|rk|key|ghp|gho|hf|gsk|xox[a-z])[-_]|eyJ)")
_RUN = re.compile(r"[A-Za-z0-9]{12,}")
_BETWEEN_KINDS = re.compile(r"(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])")
_BETWEEN_CASES = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[a-z])")
RANDOM_RUN_CHARS = 16
KINDS_SHARE, CASES_SHARE, JOINED_SHARE = 0.17, 0.33, 0.28
"""How often letters and digits, or small and large letters, take turns in what nobody has chosen,
for each character: in 32 random hexadecimal digits a half of the time, in names hardly ever."""
_LOCAL_NAMES = frozenset(
    ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback", "localhost6")
)


class CandidateUrls(tuple[str, ...]):
    """Candidate addresses of this machine that the user did not name.

    What answers at an explicit address is spoken to as a plain OpenAI server where it is not
    recognised. At a candidate only a server that is recognised counts: the rest is somebody's web
    page.
    """

    __slots__ = ()


def loopback_urls(ports: Iterable[int]) -> tuple[str, ...]:
    """The addresses of servers at these ports, as the machine that they run on asks them."""
    return tuple(f"http://127.0.0.1:{port}" for port in ports)


def is_explicit(urls: Sequence[str] | None) -> bool:
    """Whether somebody named these addresses."""
    return urls is not None and not isinstance(urls, CandidateUrls)


def normalised_url(text: str) -> str:
    """A server's address as ``scheme://host:port[/path]``, without an endpoint at its end.

    ``127.0.0.1:8021`` is taken as http, an IPv6 address needs no brackets where it has no port. A
    pasted endpoint such as ``/v1/chat/completions``, a query, quotes and blanks around it are left
    out. Raises ValueError with one sentence, in which secrets are masked.
    """
    given = text.strip(AROUND)
    sentence = f"{shown_url(given)!r} is not the address of a server: give http://HOST:PORT"
    if not given or len(given) > MAX_URL_CHARS or re.search(r"[\x00-\x20\x7f-\x9f\\]", given):
        raise ValueError(sentence)
    scheme = _SCHEME.match(given)
    rest = given[scheme.end() :] if scheme else given
    name = scheme[1].lower() if scheme else "http"
    place, path = _parted(rest)
    if "@" in place:
        raise ValueError(
            f"{shown_url(given)!r} holds a user or a password, which screens and reports would "
            "show: give http://HOST:PORT without it"
        )
    place = _bracketed(place)
    host, port = _host_and_port(place)
    is_address = host is not None and place not in ("http:", "https:")
    if name not in ("http", "https") or not is_address or host is None or port is None:
        raise ValueError(sentence)
    ending = "" if port in ("", {"http": "80", "https": "443"}[name]) else f":{int(port)}"
    return f"{name}://{host.lower()}{ending}{_base_path(path)}"


def _parted(rest: str) -> tuple[str, str]:
    """(host and port, path) of what comes after the scheme; query and fragment are dropped."""
    end = next((i for i, char in enumerate(rest) if char in "/?#"), len(rest))
    path = re.split(r"[?#]", rest[end:], maxsplit=1)[0]
    return rest[:end], path


def _bracketed(place: str) -> str:
    """A bare IPv6 address in brackets. ``::1:8021`` is ambiguous: four digits and more are a port,
    as that is what a person means who writes them."""
    if place.startswith("[") or place.count(":") < 2:
        return place
    front, _, last = place.rpartition(":")
    if last.isdecimal() and len(last) >= 4 and _is_ipv6(front):
        return f"[{front}]:{last}"
    return f"[{place}]" if _is_ipv6(place) else place


def _is_ipv6(text: str) -> bool:
    import ipaddress  # here, as below: a dashboard that has no server yet does without

    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _host_and_port(place: str) -> tuple[str | None, str | None]:
    """Host and port of ``host:port``; None for what is none, "" for a port that is not given."""
    if place.startswith("["):
        front, bracket, rest = place.partition("]")
        host, port = front + bracket, rest.removeprefix(":")
        if (rest and not rest.startswith(":")) or not _is_ipv6(host[1:-1]):
            return None, None
    else:
        host, _, port = place.partition(":")
        if not host.isascii():
            host = _ascii_host(host)
    if not _HOST.fullmatch(host):
        return None, None
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port[:9]) < 65536):
        return None, None
    return host, port


def _ascii_host(host: str) -> str:
    """A host name of any letters as DNS has it, without a full stop of any script at its end; ""
    where it has none."""
    try:
        return host.encode("idna").decode("ascii").rstrip(".")
    except UnicodeError:
        return ""


def _base_path(path: str) -> str:
    """The path below which the API lies: whatever is not the API's own."""
    found = re.sub(r"/{2,}", "/", path).rstrip("/")
    lower = found.lower()
    for endpoint in ENDPOINTS:
        if lower.endswith(endpoint):
            return found[: -len(endpoint)].rstrip("/")
    return found


def shown_url(url: str) -> str:
    """An address for display: one line, bounded, without user, password and keys."""
    masked = _USERINFO.sub(r"\1***@", url[: 4 * MAX_URL_CHARS], count=1)
    start = masked.find("/", masked.find("://") + 3 if "://" in masked else 0)
    if start >= 0:
        masked = masked[:start] + _masked_path(masked[start:])
    return clean_line(_SECRET_NAME.sub(r"\1***", masked), MAX_SHOWN_CHARS)


def masked(text: str) -> str:
    """A sentence in which no address tells a user, a password or a key."""
    text = _SECRET_NAME.sub(r"\1***", _SCHEMELESS.sub("***@", _ANY_USERINFO.sub(r"\1***@", text)))
    return _PATH.sub(lambda found: found[1] + _masked_path(found[2]), text)


def _masked_path(path: str) -> str:
    """A path without the parts that can only be keys: nobody chooses a long name of digits and
    letters that take turns as they happen to."""
    return _SEGMENT.sub(lambda found: "***" if _is_random(found[0]) else found[0], path)


def _is_random(segment: str) -> bool:
    name = segment.partition("?")[0].strip(".,;:)")
    runs = _RUN.findall(name)
    has_digit = any(re.search(r"\d", run) for run in runs)
    if _UUID.fullmatch(name) or (_KEY_START.match(name) and has_digit):
        return True
    joined = re.sub("[-_]", "", name)
    if has_digit and len(_BETWEEN_CASES.findall(joined)) >= JOINED_SHARE * len(joined):
        return True
    return any(
        len(run) >= RANDOM_RUN_CHARS
        and (
            len(_BETWEEN_KINDS.findall(run)) >= KINDS_SHARE * len(run)
            or len(_BETWEEN_CASES.findall(run)) >= CASES_SHARE * len(run)
        )
        for run in runs
    )


def is_local(url: str) -> bool:
    """Whether the server at this address runs on this machine.

    So do the loopback, ``0.0.0.0`` and ``::`` (a connection to them goes to this machine), the
    names of this machine, and the addresses of its interfaces. Nothing is sent and no name is
    looked up.
    """
    parts = _split(url)
    host = ((parts.hostname if parts else None) or "").rstrip(".").lower()
    if not host:
        return False
    if host in _LOCAL_NAMES or host.endswith(".localhost") or _is_loopback(host):
        return True
    own = socket.gethostname().lower().rstrip(".")
    short = own.partition(".")[0]
    if short and host in (own, short, f"{short}.local"):
        return True
    return _is_own_address(host)


def local_port(url: str) -> int | None:
    """The port of a server on this machine; None for a server elsewhere."""
    parts = _split(url)
    if parts is None or not is_local(url):
        return None
    try:
        return parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url if "://" in url else f"http://{url}")
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _is_loopback(host: str) -> bool:
    """Whether this is the plain text of a loopback address. Drawing asks every second."""
    from tui.core.listen_address import is_loopback

    try:
        return is_loopback(host)
    except ValueError:
        return False


def _is_own_address(host: str) -> bool:
    """Whether this IP address is one of this machine's.

    The kernel takes an address of its own as the source of what is sent to it. Connecting a UDP
    socket asks for just that and sends nothing.
    """
    try:
        # As bytes: text goes through the tables of IDNA, which the start would load for this.
        name = host.encode("ascii")
        found = socket.getaddrinfo(name, 9, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return False
    import ipaddress

    for family, kind, protocol, _, target in found:
        address = ipaddress.ip_address(str(target[0]).partition("%")[0])
        inner = getattr(address, "ipv4_mapped", None) or address
        if inner.is_loopback or inner.is_unspecified:
            return True
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.connect(target)
                source = str(probe.getsockname()[0]).partition("%")[0]
        except OSError:
            continue
        if ipaddress.ip_address(source) == address:
            return True
    return False
