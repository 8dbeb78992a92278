"""What the settings say about the server, as the client takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.servers.address import normalised_url
from tui.servers.detect import CandidateUrls
from tui.settings.schema import ServerSection

if TYPE_CHECKING:
    from tui.servers.client import PhaseTimeouts


def phase_timeouts(section: ServerSection) -> PhaseTimeouts:
    """How long each phase of a request may take."""
    from tui.servers.client import PhaseTimeouts

    return PhaseTimeouts(
        connect_s=section.connect_timeout_s,
        first_byte_s=section.first_byte_timeout_s,
        idle_s=section.idle_timeout_s,
    )


def server_urls(section: ServerSection) -> Sequence[str] | None:
    """The addresses to look at: the one that was named, or candidates; None for the default ports.

    Raises ValueError with one sentence for an address that is none.
    """
    if section.url:
        return (normalised_url(section.url),)
    if section.ports != ServerSection().ports:
        return CandidateUrls(f"http://127.0.0.1:{port}" for port in section.ports)
    return None
