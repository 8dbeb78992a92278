"""The sampling settings of a request that affect a simulated answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NAMES = ("temperature", "top_p", "top_k", "repeat_penalty", "seed")


@dataclass(frozen=True, slots=True)
class Sampling:
    """(name, value) for the settings in :data:`NAMES`, sorted; empty if the server ignores them."""

    values: tuple[tuple[str, float], ...] = ()

    @property
    def is_greedy(self) -> bool:
        """Whether the likeliest token is always taken: equal prompts get equal answers."""
        found = dict(self.values)
        return found.get("temperature") == 0 or found.get("top_k") == 1

    def seed_of(self, number: int) -> str:
        """The part of the random seed that depends on these settings and on the request's number.
        Without settings it is the number alone."""
        if self.is_greedy:
            return "greedy"
        if not self.values:
            return str(number)
        settings = ",".join(f"{name}={value:g}" for name, value in self.values)
        # With a seed in the request, sampling is repeatable.
        return settings if "seed" in dict(self.values) else f"{settings}:{number}"


IGNORED = Sampling()
"""For a server that ignores the settings of a request."""


def sampling_of(options: object) -> Sampling:
    """The settings in a request's fields; values that are no numbers are skipped."""
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
