"""Reader of a sysfs attribute: a file that holds one value."""

from __future__ import annotations

from collections.abc import Callable

from tui.board.readers.files import Files
from tui.board.readers.reasons import NOT_ON_THIS_KERNEL, UnreadableError, reason_of, unreadable
from tui.core.board.reading import Reading, ReadingValue


class Attribute:
    """Reads ``path`` and parses it. Unchanged bytes give the same reading object again.

    ``parse`` raises UnreadableError for an invalid content. ``missing`` is the reason to report
    where the file does not exist.
    """

    __slots__ = ("_files", "_parse", "_raw", "_reading", "missing", "path", "unit")

    def __init__(
        self,
        files: Files,
        path: str,
        parse: Callable[[bytes], ReadingValue],
        unit: str = "",
        missing: str = NOT_ON_THIS_KERNEL,
    ) -> None:
        self._files = files
        self.path = path
        self._parse = parse
        self.unit = unit
        self.missing = missing
        self._raw: bytes | None = None
        self._reading = Reading.absent(missing, unit, path)

    def read(self) -> Reading:
        """The present value, or the reason why there is none. Raises nothing."""
        try:
            raw = self._files.read(self.path)
        except OSError as error:
            self._raw = None
            return Reading.absent(reason_of(error, self.missing), self.unit, self.path)
        if raw != self._raw:
            self._reading = self._parsed(raw)
            self._raw = raw
        return self._reading

    def _parsed(self, raw: bytes) -> Reading:
        try:
            return Reading(self._parse(raw), self.unit, self.path)
        except UnreadableError as error:
            return Reading.absent(unreadable(str(error)), self.unit, self.path)


def absent_all(ids: dict[str, str], reason: str, source: str = "") -> dict[str, Reading]:
    """Absent readings with one reason; ``ids`` maps each reading's id to its unit."""
    return {name: Reading.absent(reason, unit, source) for name, unit in ids.items()}
