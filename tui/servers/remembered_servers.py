"""Chosen server, and the model used with each server, kept between starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

MAX_SERVERS = 50


@dataclass(frozen=True, slots=True)
class RememberedServers:
    """``url`` is the server that was chosen where several answered, empty where none was.
    ``models`` maps the address of a server to the model that was used last with it. ``typed_url``
    is the server whose address was typed last and that answered."""

    url: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    typed_url: str = ""

    def with_server(self, url: str) -> RememberedServers:
        """The same with this server chosen."""
        return replace(self, url=url)

    def with_model(self, url: str, name: str) -> RememberedServers:
        """The same with this model used last there; the oldest servers are forgotten."""
        models = {known: model for known, model in self.models.items() if known != url}
        models[url] = name
        kept = list(models.items())[-MAX_SERVERS:]
        return replace(self, models=dict(kept))

    def model_of(self, url: str) -> str | None:
        """The model that was used last with the server at this address."""
        return self.models.get(url) or None


NOTHING_REMEMBERED = RememberedServers()
