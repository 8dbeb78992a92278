"""A server that was found."""

from __future__ import annotations

from dataclasses import dataclass

from tui.servers.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Server:
    """Where it is and what it is. Strings are sanitised.

    ``name`` is what it calls itself, ``version`` None where it does not say. ``is_simulated`` is
    true for the simulated board, which says so in a header of every answer.
    """

    url: str
    dialect: Dialect
    name: str
    version: str | None = None
    is_simulated: bool = False

    @property
    def label(self) -> str:
        """Name and place, short: ``RockchipLlama :8021`` on this machine, else with the host."""
        place = self.url.partition("://")[2]
        for local in ("127.0.0.1", "localhost", "[::1]"):
            place = place.removeprefix(local) if place.startswith(f"{local}:") else place
        return f"{self.name} {place}"
