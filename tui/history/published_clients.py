"""A file in which a tap that runs as a service publishes its requests for other users' dashboards.

Its history belongs to its own user. Texts are never in this file.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from tui.core.text.sanitize import clean_line
from tui.history.records import Origin
from tui.history.request_records import ClientName, ClientRequest, ClientTotals

PUBLISHED = Path("/run/npulse-tap/clients.json")
"""Where the service's unit has its tap write it."""
MAX_BYTES = 1 << 20
MAX_CHARS = 200


@dataclass(frozen=True, slots=True)
class PublishedClients:
    """As in :class:`tui.history.clients_view.ClientsView`. ``pid`` is the tap's."""

    pid: int
    running: tuple[ClientRequest, ...] = ()
    newest: tuple[ClientRequest, ...] = ()
    totals: tuple[ClientTotals, ...] = ()

    @property
    def is_alive(self) -> bool:
        """Whether the tap's process exists; the file stays behind where it was killed."""
        return Path(f"/proc/{self.pid}").exists()


def publish(path: Path, clients: PublishedClients) -> None:
    """Replaces the file, which every user may read. Raises OSError."""
    bare = [
        tuple(replace(one, prompt=None, answer=None) for one in requests)
        for requests in (clients.running, clients.newest)
    ]
    data = msgspec.json.encode(replace(clients, running=bare[0], newest=bare[1]))
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_bytes(data)
        new.chmod(0o644)
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise


def published(path: Path = PUBLISHED) -> PublishedClients | None:
    """Reads what a tap has published, sanitised; None where nothing can be read."""
    try:
        with path.open("rb") as file:
            return published_in(file.read(MAX_BYTES))
    except OSError:
        return None


def published_in(data: bytes) -> PublishedClients | None:
    """What such a file says, sanitised; None where it is none."""
    try:
        found = msgspec.json.decode(data, type=PublishedClients)
    except (msgspec.DecodeError, RecursionError):
        return None
    return replace(
        found,
        running=tuple(map(_clean, found.running)),
        newest=tuple(map(_clean, found.newest)),
        totals=tuple(replace(one, label=_line(one.label) or "") for one in found.totals),
    )


def _clean(one: ClientRequest) -> ClientRequest:
    who, origin = one.client, one.origin
    return replace(
        one,
        client=ClientName(
            _line(who.host) or "", who.port, _line(who.user_agent), _line(who.process), who.pid
        ),
        method=_line(one.method) or "",
        path=_line(one.path) or "",
        origin=Origin(_line(origin.model) or "", _line(origin.server), url=_line(origin.url)),
        note=_line(one.note),
    )


def _line(text: str | None) -> str | None:
    return None if text is None else clean_line(text, MAX_CHARS)
