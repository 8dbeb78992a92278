"""The sampling settings of a request, as far as they change a simulated answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NAMES = ("temperature", "top_p", "top_k", "repeat_penalty", "seed")


@dataclass(frozen=True, slots=True)
class Sampling:
    """Numbers by the names of :data:`NAMES`, sorted; empty for a server that ignores them."""

    values: tuple[tuple[str, float], ...] = ()

    @property
    def is_greedy(self) -> bool:
        """Always the likeliest token: the same prompt gets the same answer."""
        found = dict(self.values)
        return found.get("temperature") == 0 or found.get("top_k") == 1

    def seed_of(self, number: int) -> str:
        """What the answer of request ``number`` depends on beside its prompt. Without settings it
        is the number alone."""
        if self.is_greedy:
            return "greedy"
        if not self.values:
            return str(number)
        settings = ",".join(f"{name}={value:g}" for name, value in self.values)
        # A seed in the request makes sampling repeat itself.
        return settings if "seed" in dict(self.values) else f"{settings}:{number}"


IGNORED = Sampling()
"""Of a server that does nothing with the settings of a request."""


def sampling_of(options: object) -> Sampling:
    """The settings in a request's fields; what is no number is left out."""
    if not isinstance(options, Mapping):
        return Sampling()
    found = ((name, options.get(name)) for name in sorted(NAMES))
    return Sampling(
        tuple(
            (name, float(value))
            for name, value in found
            if isinstance(value, int | float) and not isinstance(value, bool)
        )
    )
