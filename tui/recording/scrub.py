"""Masks host name, user name, addresses and paths in a recording.

A mask has the same length as the masked text: ``/home/ben/model.rkllm`` becomes
``/xxxx/xxx/xxxxx.xxxxx``. So the text of several tokens can be masked together, and each token
keeps its length.

Not masked: addresses that every machine has (``127.0.0.1``, ``localhost``), and paths below folders
that are the same on every machine (``/sys``, ``/proc``, ``/usr``, ...).
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from tui.recording.lines import (
    Board,
    Event,
    Failed,
    Finish,
    FullReading,
    ModelIs,
    Numbers,
    Request,
    ServerError,
    Unread,
    Value,
    Waiting,
)

MIN_NAME_CHARS = 2
PUBLIC_NAMES = frozenset(("root", "localhost"))
SYSTEM_FOLDERS = ("bin", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "sys", "usr")
LOCAL_HOSTS = frozenset(("localhost", "127.0.0.1", "0.0.0.0", "[::1]", "::1"))

_OPEN = r"(?<![\w/.:~\-])"
_ADDRESSES = re.compile(
    r"(?P<mail>[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+)"
    r"|(?P<file>file:/{1,3}[^\s\"'<>`]+)"
    r"|(?P<scheme>\b[A-Za-z][A-Za-z0-9+.\-]{1,15}://)(?P<place>[^\s/?#\"'<>`]+)"
    r"|(?P<mac>(?<![\w:\-])(?:[0-9A-Fa-f]{2}[:\-]){5}[0-9A-Fa-f]{2}(?![\w:\-]))"
    r"|(?P<v4>(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d))"
    r"|(?P<v6>(?<![\w:.])[0-9A-Fa-f:]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:%\w+)?(?![\w:]))"
)
_PATHS = re.compile(
    _OPEN + r"(?P<unix>(?:~[\w\-]*)?(?:/[^\s/\"'`<>|;,()\[\]{}]+){2,}/?|~[\w\-]*/[^\s\"'`<>|;]+)"
    r"|(?P<windows>\b[A-Za-z]:\\[^\s\"'`<>|]+)"
)
_SYSTEM = re.compile(rf"/(?:{'|'.join(SYSTEM_FOLDERS)})(?:/|$)")
_HIDDEN = re.compile(r"[^/\\.:@\-\[\]\s]")

_TEXT_OF: dict[type, str] = {
    Waiting: "reason",
    ModelIs: "name",
    Finish: "reason",
    Unread: "text",
    ServerError: "message",
    Failed: "sentence",
}
_NUMBERS_TEXTS = frozenset(("note", "unread_text", "finish", "error"))


def masked(text: str) -> str:
    """A mask that keeps length and separators."""
    return _HIDDEN.sub("x", text)


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Masks addresses, paths, and these names as whole words.

    ``users`` are case-sensitive, ``hosts`` are not. ``places``: folders and other texts that are
    masked anywhere, also within words.
    """

    hosts: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @staticmethod
    def of_this_machine() -> Scrubber:
        """A scrubber for this user and this machine."""
        import getpass
        import socket
        from pathlib import Path

        host = socket.gethostname()
        names = {host, host.partition(".")[0], socket.getfqdn() if "." in host else host}
        try:
            user, home = getpass.getuser(), str(Path.home())
        except (OSError, KeyError, RuntimeError):
            user, home = "", ""
        return Scrubber(
            _worth_hiding(names), _worth_hiding({user}), (home,) if len(home) > 1 else ()
        )

    def text(self, text: str) -> str:
        """The masked text, which has the same length."""
        if not text:
            return text
        for place in self.places:
            text = text.replace(place, masked(place))
        text = _ADDRESSES.sub(_masked_address, text)
        text = _PATHS.sub(_masked_path, text)
        for pattern in self._patterns():
            text = pattern.sub(lambda found: masked(found.group()), text)
        return text

    def line(self, line: Event | Request) -> Event | Request:
        """The line with its texts masked, except for a token's text: :class:`TokenMask` masks that
        together with the tokens around it."""
        text = self.text
        if isinstance(line, Request):
            messages = tuple(replace(m, content=text(m.content)) for m in line.messages)
            about = line.about and dataclasses.replace(
                line.about,
                name=text(line.about.name),
                file_name=line.about.file_name and text(line.about.file_name),
            )
            return replace(
                line,
                messages=messages,
                about=about,
                model=text(line.model),
                server=text(line.server),
            )
        if isinstance(line, Board):
            return replace(
                line,
                readings={name: self._reading(value) for name, value in line.readings.items()},
                programs=tuple(replace(p, name=text(p.name)) for p in line.programs),
            )
        if isinstance(line, Numbers):
            return replace(
                line,
                numbers={
                    k: text(v) if isinstance(v, str) and k in _NUMBERS_TEXTS else v
                    for k, v in line.numbers.items()
                },
            )
        name = _TEXT_OF.get(type(line))
        said = None if name is None else getattr(line, name)
        return line if name is None or not said else replace(line, **{name: text(said)})

    def _reading(self, reading: FullReading | Value) -> FullReading | Value:
        if isinstance(reading, str):
            return self.text(reading)
        if not isinstance(reading, FullReading):
            return reading
        value = reading.value
        return replace(
            reading,
            value=self.text(value) if isinstance(value, str) else value,
            source=self.text(reading.source),
            reason=reading.reason and self.text(reading.reason),
        )

    def _patterns(self) -> Sequence[re.Pattern[str]]:
        made = []
        for names, flags in ((self.hosts, re.IGNORECASE), (self.users, 0)):
            if names:
                words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
                made.append(re.compile(rf"(?<!\w)(?:{words})(?!\w)", flags))
        return made


def _worth_hiding(names: set[str]) -> tuple[str, ...]:
    return tuple(
        sorted(n for n in names if len(n) >= MIN_NAME_CHARS and n.lower() not in PUBLIC_NAMES)
    )


def _masked_address(found: re.Match[str]) -> str:
    text = found.group()
    if found["place"] is not None:
        return found["scheme"] + _masked_place(found["place"])
    if found["v4"] is not None:
        is_kept = text in LOCAL_HOSTS or not _is_address(text)
    elif found["v6"] is not None:
        is_kept = text in LOCAL_HOSTS or not _is_address(text) or not any(map(str.isdigit, text))
    else:
        is_kept = False
    return text if is_kept else masked(text)


def _masked_place(place: str) -> str:
    """Masks ``USER:PASSWORD@HOST:PORT`` except for the port."""
    user, at, host = place.rpartition("@")
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdecimal():
        name, colon, port = host, "", ""
    shown = name if name.lower() in LOCAL_HOSTS else masked(name)
    return masked(user) + at + shown + colon + port


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _masked_path(found: re.Match[str]) -> str:
    text = found.group()
    return text if _SYSTEM.match(text) else masked(text)
