"""The chosen model for each server of a session."""

from __future__ import annotations


class SessionModels:
    """What was chosen in this run, by the address of the server; else what is configured."""

    def __init__(self, configured: str) -> None:
        self._configured = configured
        self._by_url: dict[str, str] = {}

    def wanted_at(self, url: str) -> str:
        """The model to ask for; empty where that is the loaded one, or another rule decides."""
        return self._by_url.get(url, self._configured)

    def choose(self, url: str, name: str) -> None:
        """This model from now on."""
        self._by_url[url] = name

    def note_loaded(self, url: str, name: str, *, is_name_heeded: bool) -> None:
        """It was loaded on request: that it is asked for is not worth a word any more where the
        loaded one answers whatever is asked."""
        self._by_url[url] = name if is_name_heeded else ""
