"""Names a client by its address, and by its process if that runs on this machine."""

from __future__ import annotations

import os
from collections import OrderedDict

from tui.board.readers.connections import client_side, owner_of
from tui.board.readers.files import Files
from tui.core.text.sanitize import clean_line
from tui.history.request_records import ClientName
from tui.servers.address import is_local

MAX_REMEMBERED = 64
MAX_NAME_CHARS = 40
MAX_HOST_CHARS = 60


class ClientNames:
    """Finds a client's process in /proc. Processes found earlier are checked first, as a
    client opens many connections.
    """

    def __init__(self) -> None:
        self._files = Files()
        self._known: OrderedDict[int, None] = OrderedDict()
        self._here: dict[str, bool] = {}

    def name(self, host: str, port: int) -> ClientName:
        """The client at this address; without a process if that cannot be found."""
        shown = clean_line(host, MAX_HOST_CHARS)
        if not self._is_here(host):
            return ClientName(shown, port)
        row = client_side(self._files, host, port)
        own = os.geteuid()
        # The file descriptors of another user's process cannot be read.
        if row is None or own not in (0, row.uid):
            return ClientName(shown, port)
        owner = owner_of(self._files, row.inode, reversed(self._known))
        if owner is None:
            return ClientName(shown, port)
        self._known[owner.pid] = None
        self._known.move_to_end(owner.pid)
        if len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        name = clean_line(owner.name, MAX_NAME_CHARS)
        return ClientName(shown, port, process=name or None, pid=owner.pid)

    def _is_here(self, host: str) -> bool:
        if len(self._here) > 1000:
            self._here.clear()
        if host not in self._here:
            self._here[host] = is_local(f"[{host}]" if ":" in host else host)
        return self._here[host]
