"""Server options of the settings, in the form that the client takes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui.servers.access import Access, check_ca_file, checked_key
from tui.servers.address import CandidateUrls, is_local, loopback_urls, normalised_url
from tui.settings.schema import ServerSection

if TYPE_CHECKING:
    from tui.servers.client import PhaseTimeouts

OLLAMA_PORT = 11434
API_KEY_VARIABLE = "NPULSE_API_KEY"
"""Holds the key of the server. ``--api-key`` of the dashboard sets it for its benchmarks."""


def phase_timeouts(section: ServerSection) -> PhaseTimeouts:
    """How long each phase of a request may take."""
    from tui.servers.client import PhaseTimeouts

    return PhaseTimeouts(
        connect_s=section.connect_timeout_s,
        first_byte_s=section.first_byte_timeout_s,
        idle_s=section.idle_timeout_s,
        busy_s=section.first_byte_timeout_s,
    )


def server_urls(section: ServerSection) -> Sequence[str] | None:
    """The addresses to look at: the one that was named, or candidates; None for the default ports.

    Raises ValueError with one sentence for an address that is none.
    """
    if section.url:
        return (normalised_url(section.url),)
    urls = candidate_urls(section)
    is_usual = section.ports == ServerSection().ports and len(urls) == len(section.ports)
    return None if is_usual else urls


def candidate_urls(section: ServerSection, env: Mapping[str, str] = os.environ) -> CandidateUrls:
    """The addresses of this machine where a server may be, whichever was named."""
    urls = loopback_urls(section.ports)
    ollama = _ollama_url(env)
    return CandidateUrls(dict.fromkeys([*urls, *([ollama] if ollama else [])]))


def _ollama_url(env: Mapping[str, str]) -> str | None:
    """Where ``OLLAMA_HOST`` says that Ollama is, if that is this machine; its own server reads the
    same variable as what to listen on, so every address of this machine is the loopback."""
    given = env.get("OLLAMA_HOST", "").strip()
    if not given:
        return None
    try:
        url = normalised_url(given)
    except ValueError:
        return None
    if not is_local(url):
        return url
    scheme, _, place = url.partition("://")
    _, colon, port = place.rpartition(":")
    return f"{scheme}://127.0.0.1:{port if colon and port.isdigit() else OLLAMA_PORT}"


def server_access(
    section: ServerSection, api_key: str | None = None, env: Mapping[str, str] = os.environ
) -> Access:
    """The key and the certificates for the server.

    The key: ``api_key`` (the flag), else ``NPULSE_API_KEY``, else the variable that
    ``api_key_env`` names. Certificates: ``ca_file`` and those of ``SSL_CERT_FILE``. Raises
    ValueError with one sentence, which never holds the key.
    """
    key = api_key if api_key is not None else env.get(API_KEY_VARIABLE) or None
    if key is None and section.api_key_env:
        key = env.get(section.api_key_env)
        if not key:
            # Not by its name: whoever takes the setting for the key itself wrote it there.
            raise ValueError(
                "server.api_key_env takes the name of an environment variable that holds the key; "
                "the one that it names is not set"
            )
    named = str(Path(section.ca_file).expanduser()) if section.ca_file else ""
    ca_files = tuple(path for path in (named, env.get("SSL_CERT_FILE", "")) if path)
    # Certificates are for https alone; a wrong file is told before that is known to be wanted.
    for path in (named,) if named else ():
        check_ca_file(path)
    if section.url.lstrip().lower().startswith("https"):
        for path in ca_files:
            check_ca_file(path)
    return Access(None if key is None else checked_key(key), ca_files, section.kind)
