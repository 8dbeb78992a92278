"""The known properties of the server behind a tap."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.core.turn.last_usage import LastUsage
from tui.core.types import GenerationSettings
from tui.history.records import Origin
from tui.servers.address import shown_url
from tui.servers.dialects import llama_cpp, ollama, openai
from tui.servers.dialects.dialect import Dialect

_PARALLEL = (openai.NAME, ollama.NAME, llama_cpp.NAME)
"""Servers that may generate several answers at once, or for which that is unknown."""

NO_SETTINGS = GenerationSettings(max_tokens=0)


@dataclass(slots=True)
class SeenServer:
    """The server as far as it is recognised; until then a plain OpenAI server is assumed."""

    url: str
    dialect: Dialect = openai.DIALECT
    name: str | None = None
    """None if it was not recognised yet."""
    version: str | None = None
    is_simulated: bool = False
    last_usage: LastUsage = field(default_factory=LastUsage)
    has_orphan: bool = False
    """Whether the server still generates an answer whose client has left. Its end is only known
    when another answer begins.
    """

    @property
    def is_one_at_a_time(self) -> bool:
        """Whether it generates one answer at a time, so that other prompts are queued."""
        return self.dialect.name not in _PARALLEL

    def origin(self, model: str) -> Origin:
        """Server and model of an answer, for the history."""
        return Origin(
            model=model,
            server=self.name,
            kind=self.dialect.name if self.name is not None else None,
            version=self.version,
            url=shown_url(self.url),
            is_simulated=self.is_simulated,
        )
