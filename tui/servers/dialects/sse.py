"""Server-sent events, incrementally: bytes in, events out.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream.
Bytes may be split anywhere, also inside a character or between CR and LF.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

MAX_LINE_CHARS = 1 << 20
MAX_EVENT_CHARS = 4 << 20

_FIELDS = frozenset(("data", "event", "id", "retry", ""))
_LINE_END = re.compile("\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its ``data`` lines joined by newlines, and its type ("" where none was given).

    ``is_stray``: lines with text that belong to no field of the format, as they came.
    """

    data: str
    kind: str = ""
    is_stray: bool = False


class SseParser:
    """One event stream. It holds at most one unfinished line and one unfinished event."""

    def __init__(
        self, max_line_chars: int = MAX_LINE_CHARS, max_event_chars: int = MAX_EVENT_CHARS
    ) -> None:
        self._max_line_chars = max_line_chars
        self._max_event_chars = max_event_chars
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._is_start = True
        self._was_cr = False
        self._line: list[str] = []
        self._line_chars = 0
        self._data: list[str] = []
        self._data_chars = 0
        self._kind = ""
        self._stray: list[str] = []
        self.broken: str | None = None
        """What never ends (a line, an event), so that this cannot be an event stream."""

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete; nothing any more once it is broken."""
        return self._take(self._decoder.decode(data))

    def close(self) -> list[Event]:
        """The event that the end of the stream completes, if any.

        The specification drops an event without its blank line; servers that close right after
        the last line are common enough to keep it.
        """
        events = self._take(self._decoder.decode(b"", final=True))
        if self._line:
            events += self._end_line()
        return events + self._dispatch()

    def _take(self, text: str) -> list[Event]:
        if not text or self.broken:
            return []
        if self._is_start:
            self._is_start = False
            text = text.removeprefix("\ufeff")
        if self._was_cr and text:
            self._was_cr = False
            text = text.removeprefix("\n")
        if text.endswith("\r"):
            self._was_cr = True
        *complete, rest = _LINE_END.split(text)
        events: list[Event] = []
        for piece in complete:
            self._grow_line(piece)
            events += self._end_line()
        self._grow_line(rest)
        return events

    def _break(self, what: str) -> None:
        self.broken = what
        self._line.clear()
        self._data.clear()
        self._stray.clear()

    def _grow_line(self, piece: str) -> None:
        if not piece or self.broken:
            return
        self._line.append(piece)
        self._line_chars += len(piece)
        if self._line_chars > self._max_line_chars:
            self._break(f"a line of more than {self._max_line_chars} characters")

    def _end_line(self) -> list[Event]:
        if self.broken:
            return []
        line = "".join(self._line)
        self._line.clear()
        self._line_chars = 0
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name in _FIELDS:
            strays = self._dispatch_stray()
            if name == "data":
                self._grow_event(self._data, value)
            elif name == "event":
                self._kind = value
            # Comments (an empty name), id and retry carry nothing for us.
            return strays
        if line.isspace():
            return []
        # The standard ignores any other line. Servers put errors there, and whole chunks.
        before = self._dispatch_data() if self._data else []
        self._grow_event(self._stray, line)
        is_object = line[:1] == "{" and line.rstrip()[-1:] == "}"
        is_whole = is_object and len(self._stray) == 1
        return [*before, *self._dispatch_stray()] if is_whole else before

    def _grow_event(self, lines: list[str], value: str) -> None:
        lines.append(value)
        self._data_chars += len(value) + 1
        if self._data_chars > self._max_event_chars:
            self._break(f"an event of more than {self._max_event_chars} characters")

    def _dispatch(self) -> list[Event]:
        return [*self._dispatch_stray(), *self._dispatch_data()]

    def _dispatch_data(self) -> list[Event]:
        kind, self._kind = self._kind, ""
        self._data_chars = 0
        if not self._data:
            # The standard drops an event without data; its type may be all that an error says.
            return [Event("", kind)] if "error" in kind.lower() else []
        event = Event("\n".join(self._data), kind)
        self._data.clear()
        return [event]

    def _dispatch_stray(self) -> list[Event]:
        if not self._stray:
            return []
        event = Event("\n".join(self._stray), is_stray=True)
        self._stray.clear()
        self._data_chars = sum(map(len, self._data))
        return [event]
