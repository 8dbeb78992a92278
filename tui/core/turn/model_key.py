"""Key of a model on a machine: times of answers are comparable if their keys are equal."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class ModelKey:
    """``host`` is that of the server's address: a board that is reached at another port is the same
    one. Simulated answers are never taken for real ones."""

    model: str
    host: str = ""
    is_simulated: bool = False


def host_of(url: str) -> str:
    """The host of an address, whatever its port; the whole address where it has none."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url
