"""What the runtime logged when it loaded the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from tui.core.text.sanitize import clean_line

MAX_WORD_CHARS = 40


@dataclass(frozen=True, slots=True)
class LoadFacts:
    """Values that the runtime logs at a model load; None is unknown. Strings are not sanitised.

    ``cpus`` are the processors that it uses. ``source`` says in which log it stands.
    """

    runtime: str | None = None
    driver: str | None = None
    platform: str | None = None
    toolkit: str | None = None
    context_limit: int | None = None
    npu_cores: int | None = None
    data_type: str | None = None
    cpus: tuple[int, ...] = ()
    source: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the log held lines of a load."""
        return self.runtime is not None or self.context_limit is not None

    @property
    def named(self) -> list[tuple[str, str]]:
        """Name and value of everything that is known, safe to show."""
        values = (
            ("runtime", self.runtime),
            ("NPU driver", self.driver),
            ("platform", self.platform),
            ("toolkit", self.toolkit),
            ("context limit", None if self.context_limit is None else f"{self.context_limit:,}"),
            ("NPU cores", None if self.npu_cores is None else str(self.npu_cores)),
            ("data type", self.data_type),
            ("CPUs", cpu_ranges(self.cpus) or None),
        )
        return [(name, clean_line(said, MAX_WORD_CHARS)) for name, said in values if said]

    @property
    def line(self) -> str:
        """All of it in one line."""
        return ", ".join(f"{name} {said}" for name, said in self.named)


def cpu_ranges(cpus: tuple[int, ...]) -> str:
    """``4-7`` for 4, 5, 6 and 7."""

    def ranges() -> Iterator[str]:
        for _, group in groupby(enumerate(sorted(set(cpus))), lambda pair: pair[1] - pair[0]):
            row = [cpu for _, cpu in group]
            yield str(row[0]) if len(row) == 1 else f"{row[0]}-{row[-1]}"

    return ", ".join(ranges())
