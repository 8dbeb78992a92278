"""Parses terminal input into keys, pastes and mouse events; never raises.

Textual's own parser decodes single sequences here. What is cut out of the stream, and when, is
decided by this one, by three rules:

- Between the marks of a bracketed paste only the end mark counts, and the text is cleaned.
- A control sequence ends where ECMA-48 (5.4) says. One that nobody knows, or whose numbers are
  absurd, is ignored. ESC before a sequence is Alt: PuTTY and rxvt send Alt+Up as ESC ESC [ A.
- A terminal without bracketed paste sends a pasted text as if it were typed. What comes without
  a pause of :data:`BURST_S` is taken for a paste where text follows two or more of its line ends,
  or follows one and the whole is longer than :data:`TYPED_CHARS`. Anything else is keys, in their
  order: ``hello``, Enter and the first words of the next prompt may well come in one read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Container, Iterator

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.message import Message

from tui.core.screen.colours import REPLY, REPLY_BEGUN
from tui.core.text.sanitize import clean

ESCAPE_S = 0.1
"""After this pause an unfinished sequence is what it looks like: Esc, or Alt with a key."""
BURST_S = 0.02
"""Keys that come closer together than this were not typed one by one."""
PASTE_END_S = 5.0
"""A paste whose end mark does not come is over after this pause."""
TYPED_CHARS = 200
"""Nobody types more than this ahead in one burst."""
MAX_SEQUENCE_CHARS = 256
MAX_COLUMNS = 10_000

PASTE_START = "\x1b[200~"
PASTE_END = "\x1b[201~"

_SEQUENCE = re.compile(
    "\x1b\x1b?(?:"
    r"\[M[^\x1b]{3}"  # a mouse event as X10 has it
    r"|\[\[[A-E]"  # F1 to F5 of the Linux console
    r"|\[\d+\$(?=[^y])"  # Shift with a key, in rxvt
    r"|\[(?!\[)[0-?]*[ -/]*[@-~]"  # CSI
    r"|O[0-9;]*[ -/:<-~]"  # SS3
    "|[P\\]X^_][^\x07\x1b]*(?:\x07|\x1b\\\\)"  # DCS, OSC, SOS, PM, APC
    ")",
    re.DOTALL,
)
_UNFINISHED = re.compile(
    "\x1b\x1b?(?:"
    r"\[(?:M[^\x1b]{0,2}|\[|[0-?]*[ -/]*)?"
    r"|O[0-9;]*"
    "|[P\\]X^_][^\x07\x1b]*\x1b?"
    ")?",
    re.DOTALL,
)
_BROKEN = re.compile("\x1b\x1b?(?:\\[[0-?]+[ -/]*|[P\\]X^_][^\x07\x1b]{1,256})")
_MOUSE = re.compile(r"\x1b\[(?:<[-\d;]*[mM]|[-\d;]+M|M)")
_STRINGS = ("P", "]", "X", "^", "_")
"""Beginnings of replies with a text of their own, after ESC."""
REPLY_S = 3.0
"""Longest wait for the rest of a reply, which comes in pieces over a slow connection."""
_STRING_END = re.compile("\x07|\x1b\\\\|\x1b")
_LONG_NUMBER = re.compile(r"\d{8}")
_LINE_END = re.compile(r"\r\n|\r|\n")


class InputParser:
    """Cuts the stream into messages. ``clock`` gives seconds; it decides what came in one burst."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        on_reply: Callable[[str], None] = lambda reply: None,
        bound_keys: Container[str] = (),
    ) -> None:
        self._clock = clock
        self._on_reply = on_reply
        """Takes what the terminal replies to a question; no key is made of it."""
        self._bound_keys = bound_keys
        """Keys that do something: ESC b and ESC f are Alt+B and Alt+F if these are among them, and
        otherwise a word to the left and to the right, as macOS sends them."""
        self._decoder = XTermParser()
        self._rest = ""
        """An unfinished sequence, or the end of what was pasted so far."""
        self._paste: list[str] | None = None
        """Inside of a bracketed paste: its text up to now."""
        self._held: list[str] | None = None
        """Keys that came with Enter, until it is clear whether they were typed."""
        self._is_in_string = False
        """Inside of a reply with a long text of its own, which is dropped as it comes."""
        self._last_s = 0.0

    @property
    def wait_s(self) -> float | None:
        """In how many seconds :meth:`tick` has something to tell; None where it waits for input."""
        if self._paste is not None:
            pause = PASTE_END_S
        elif len(self._rest) > 2 and REPLY_BEGUN.fullmatch(self._rest):
            pause = REPLY_S
        elif self._rest or self._is_in_string:
            pause = ESCAPE_S
        elif self._held is not None:
            pause = BURST_S
        else:
            return None
        return max(0.0, self._last_s + pause - self._clock())

    def feed(self, text: str) -> list[Message]:
        """The messages in ``text`` and in what was kept of the texts before."""
        found: list[Message] = []
        text = self._rest + text
        self._rest = ""
        if self._is_in_string:
            text = self._after_string(text)
        if self._held is None and self._paste is None and ("\r" in text or "\n" in text):
            self._held = []
        while text:
            if self._paste is not None:
                text = self._feed_paste(text, found)
                continue
            before, mark, after = text.partition(PASTE_START)
            self._feed_keys(before, found, is_last=not mark)
            if mark:
                found += self._release()
                self._paste = []
                self._last_s = self._clock()
            text = after
        return found

    def tick(self) -> list[Message]:
        """The messages that are due because nothing more came."""
        if self.wait_s != 0.0:
            return []
        return self.flush()

    def flush(self) -> list[Message]:
        """What is left, taken as it stands: the input has paused or ended."""
        found: list[Message] = []
        rest, self._rest = self._rest, ""
        if self._is_in_string:
            self._is_in_string, rest = False, ""
        if self._paste is not None:
            found.append(pasted("".join(self._paste)))  # the rest is a part of the end mark
            self._paste = None
            return found
        if rest:
            for token in _unfinished_tokens(rest):
                self._take(token, found)
        return [*found, *self._release()]

    def _after_string(self, text: str) -> str:
        """What follows a reply with a long text; nothing as long as it goes on."""
        end = _STRING_END.search(text)
        if end is None:
            self._last_s = self._clock()
            return ""
        if end[0] == "\x1b" and end.end() == len(text):
            self._rest = "\x1b"  # the end mark may be cut in two
            self._last_s = self._clock()
            return ""
        self._is_in_string = False
        # Any other sequence begins where it stands.
        return text[end.start() :] if end[0] == "\x1b" else text[end.end() :]

    def _feed_paste(self, text: str, found: list[Message]) -> str:
        """Take what is pasted; gives what follows the end mark."""
        assert self._paste is not None
        self._last_s = self._clock()
        inside, mark, after = text.partition(PASTE_END)
        if mark:
            found.append(pasted("".join((*self._paste, inside))))
            self._paste = None
            return after
        # The end mark may be cut in two.
        kept = max((n for n in range(1, len(PASTE_END)) if text.endswith(PASTE_END[:n])), default=0)
        self._rest = text[len(text) - kept :]
        self._paste.append(text[: len(text) - kept])
        return ""

    def _feed_keys(self, text: str, found: list[Message], *, is_last: bool) -> None:
        at = 0
        while at < len(text):
            if is_last and _is_long_string(text, at):
                self._is_in_string = True
                self._rest = "\x1b" if text.endswith("\x1b") else ""
                self._last_s = self._clock()
                return
            token = _token(text, at)
            if token is None:
                if is_last:
                    self._rest = text[at:]
                    self._last_s = self._clock()
                    return
                for part in _unfinished_tokens(text[at:]):
                    self._take(part, found)
                return
            at += len(token)
            self._take(token, found)

    def _take(self, token: str, found: list[Message]) -> None:
        """One key or sequence: told at once, unless it belongs to a burst that holds Enter."""
        if _MOUSE.match(token):
            found += self._decoded(token)
            return
        if REPLY.fullmatch(token):
            self._on_reply(token)
            return
        self._last_s = self._clock()
        if self._held is not None:
            self._held.append(token)
        else:
            found += self._decoded(token)

    def _release(self) -> list[Message]:
        """The burst is over: a paste or keys."""
        held, self._held = self._held, None
        if not held:
            return []
        text = "".join(held)
        if is_pasted(text):
            return [pasted(text)]
        return [message for token in held for message in self._decoded(token)]

    # One sequence ---------------------------------------------------------------------------

    def _decoded(self, token: str) -> list[Message]:
        """The messages of one complete sequence; none where it means nothing."""
        if token == "\x1b":
            return [events.Key("escape", "\x1b")]
        if (len(token) > 2 and token.lstrip("\x1b")[:1] in _STRINGS) or _LONG_NUMBER.search(token):
            return []
        if token.startswith("\x1b\x1b"):
            return [_with_alt(message) for message in self._decoded(token[1:])]
        try:
            return [message for message in self._asked(token) if _is_sane(message)]
        except Exception:  # noqa: BLE001
            # Textual's decoder raises many kinds of errors for numbers that nobody expects.
            self._renew()
            return []

    def _is_alt(self, token: str) -> bool:
        """Whether ESC and a character are Alt with the key of that character."""
        if token not in ANSI_SEQUENCES_KEYS or f"alt+{token[1]}" in self._bound_keys:
            return True
        # Alt with a digit is a character of macOS there; here it is a key, as in other terminals.
        return token[1] in "0123456789"

    def _asked(self, token: str) -> list[Message]:
        decoder = self._decoder
        if len(token) == 1:
            return list(decoder._sequence_to_key_events(token))
        if len(token) == 2 and self._is_alt(token):
            return list(decoder._sequence_to_key_events(token[1], alt=True))
        before = decoder.terminal_size, decoder.terminal_pixel_size, decoder.mouse_pixels
        found = list(decoder.feed(token))
        if not found:
            self._renew()  # it waits for the rest of what is complete
        if any(isinstance(message, events.Resize) for message in found):
            if not all(map(_is_sane, found)):
                (
                    decoder.terminal_size,
                    decoder.terminal_pixel_size,
                    decoder.mouse_pixels,
                ) = before
            elif decoder.terminal_pixel_size is None or not all(decoder.terminal_pixel_size):
                # The terminal does not know its pixels, so its mouse counts cells.
                decoder.terminal_pixel_size, decoder.mouse_pixels = None, False
        return found

    def _renew(self) -> None:
        old, self._decoder = self._decoder, XTermParser()
        self._decoder.last_x, self._decoder.last_y = old.last_x, old.last_y
        self._decoder.mouse_pixels = old.mouse_pixels
        self._decoder.terminal_size = old.terminal_size
        self._decoder.terminal_pixel_size = old.terminal_pixel_size


def is_pasted(burst: str) -> bool:
    """Whether what came in one burst was pasted; see the rule at the top."""
    lines = [_shown(line).strip() for line in _LINE_END.split(burst)]
    followed = sum(1 for line in lines[1:] if line)
    return followed >= 2 or (followed == 1 and len(burst) > TYPED_CHARS)


def pasted(text: str) -> events.Paste:
    """A paste of this text, cleaned, with every line end as ``\\n``."""
    return events.Paste(_shown(_LINE_END.sub("\n", text)))


def _shown(text: str) -> str:
    """``text`` without its control sequences and whatever else a terminal would obey."""
    return clean(_SEQUENCE.sub("", text))


def _is_long_string(text: str, at: int) -> bool:
    """Whether a reply with a text of its own begins at ``at`` that is long and has no end yet."""
    if text[at] != "\x1b" or len(text) - at <= MAX_SEQUENCE_CHARS:
        return False
    kind = text[at + 1 : at + 3].removeprefix("\x1b")[:1]
    return kind in _STRINGS and _UNFINISHED.fullmatch(text, at) is not None


def _token(text: str, at: int) -> str | None:
    """The key or sequence that starts at ``at``; None where its end has not come yet."""
    if text[at] != "\x1b":
        return text[at]
    if match := _SEQUENCE.match(text, at):
        return match[0]
    if len(text) - at <= MAX_SEQUENCE_CHARS and _UNFINISHED.fullmatch(text, at):
        return None
    if match := _BROKEN.match(text, at):
        return match[0]
    if text.startswith("\x1b\x1b", at):
        return "\x1b"
    return text[at : at + 2]


def _unfinished_tokens(rest: str) -> Iterator[str]:
    """What an unfinished sequence is when nothing follows: a key of its own, or nothing."""
    if rest == "\x1b\x1b":
        yield "\x1b"
    elif len(rest) <= 2 or rest in ANSI_SEQUENCES_KEYS:
        yield rest


def _with_alt(message: Message) -> Message:
    if not isinstance(message, events.Key) or "alt" in message.key.split("+"):
        return message
    *modifiers, name = message.key.split("+")
    return events.Key("+".join([*sorted({*modifiers, "alt"}), name]), None)


def _is_sane(message: Message) -> bool:
    """Whether it can be acted on: no half of a character, no screen that cannot be."""
    if isinstance(message, events.Key):
        is_text = not re.search("[\ud800-\udfff]", message.key + (message.character or ""))
        return is_text and message.key != "<ignore>"
    if isinstance(message, events.Resize):
        return 0 < message.size.width <= MAX_COLUMNS and 0 < message.size.height <= MAX_COLUMNS
    if isinstance(message, events.MouseEvent):
        return message.x <= MAX_COLUMNS and message.y <= MAX_COLUMNS
    return True
