"""Protocol of the remote loop: request lines, and answers in the same order.

A request is a line: a letter, a space and a path; ``.`` ends a round.

======  ============================================================================================
``R``   the lines of a file (at most 200)
``C``   the first lines of a file, as long as they begin with ``cpu`` (/proc/stat)
``Z``   a file with NUL bytes, which are sent as line ends, and line ends as byte 1
``I``   /proc/interrupts: its head and the rows of the NPU
``A``   all of a long file (at most 256 KiB)
``N``   the names in a folder
``L``   the target of a link
``E``   whether the path exists
``P``   /proc/PID/stat of all processes, one line each
======  ============================================================================================

An answer is any number of lines that begin with ``|``, or one line with ``!`` and an error number
(errno.h on Linux); then a line with ``;`` alone.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tui.core.text.sanitize import clean_line

Kind = Literal["R", "C", "Z", "I", "A", "N", "L", "E", "P"]
END = b".\n"
MAX_LINES = 200
MAX_BYTES = 256 << 10
MAX_ROUND_BYTES = 8 << 20
"""Most bytes of one round, more than any board sends."""
_KNOWN_ERRORS = (errno.ENOENT, errno.EACCES, errno.EISDIR, errno.EINVAL)

_DENIED, _MISSING, _FOLDER = errno.EACCES, errno.ENOENT, errno.EISDIR


class Request(NamedTuple):
    """One request for one path."""

    kind: Kind
    path: str

    @property
    def line(self) -> bytes:
        """The request as a line. Raises ValueError for a path with a line break or NUL, or a
        relative one."""
        if "\n" in self.path or "\0" in self.path or not self.path.startswith("/"):
            raise ValueError(f"invalid path: {self.path!r}")
        return f"{self.kind} {self.path}\n".encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Answer:
    """The content, or None and an errno."""

    data: bytes | None
    error: int | None = None


class AnswerReader:
    """Parses the answers of a round from bytes that arrive in any pieces."""

    def __init__(self, kinds: list[Kind]) -> None:
        self._kinds = kinds
        self.answers: list[Answer] = []
        self._rest = b""
        self._lines: list[bytes] = []
        self._error: int | None = None
        self._size = 0

    @property
    def has_begun(self) -> bool:
        """Whether any byte has arrived."""
        return self._size > 0

    @property
    def is_whole(self) -> bool:
        """Whether all answers are complete."""
        return len(self.answers) >= len(self._kinds)

    def feed(self, data: bytes) -> None:
        """Parse more bytes. Raises ValueError if they are invalid or too many."""
        self._size += len(data)
        if self._size > MAX_ROUND_BYTES:
            raise ValueError("its answer is too long")
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            # The frequent case first: twenty boards send a hundred thousand such lines a minute.
            if line[:1] == b"|" and not self.is_whole:
                self._lines.append(line[1:])
            else:
                self._take(line)

    def _take(self, line: bytes) -> None:
        mark, text = line[:1], line[1:]
        if self.is_whole or mark not in (b"|", b"!", b";") or (mark == b";" and text):
            shown = clean_line(line[:80].decode("utf-8", "replace"))
            raise ValueError(f"unexpected output: {shown}")
        if mark == b"!":
            number = int(text) if text.isdigit() and len(text) < 4 else 0
            self._error = number if number in _KNOWN_ERRORS else errno.EIO
        else:
            self._end()

    def _end(self) -> None:
        kind = self._kinds[len(self.answers)]
        if self._error is not None:
            self.answers.append(Answer(None, self._error))
        else:
            data = b"\n".join((*self._lines, b""))
            if kind == "Z":
                data = data.translate(_UNSWAP)
            self.answers.append(Answer(data))
        self._lines, self._error = [], None


_UNSWAP = bytes.maketrans(b"\n\x01", b"\0\n")


def loop_script() -> str:
    """The shell loop, in POSIX sh with cat, tr, grep, head, sed and readlink (busybox suffices).

    It is one line, as login shells other than sh treat line breaks in quotes differently.
    """
    why = (
        'd=$p; while [ ! -e "$d" ] && [ "$d" != / ] && [ -n "$d" ]; do d=${d%/*}; done; '
        f'if [ -e "$p" ]; then echo "!{_DENIED}"; '
        f'elif [ -d "$d" ] && [ ! -x "$d" ]; then echo "!{_DENIED}"; '
        f'else echo "!{_MISSING}"; fi'
    )
    is_read = f'if [ -d "$p" ]; then echo "!{_FOLDER}"; elif [ -r "$p" ]; then'
    lines = (
        'n=0; while [ $n -lt MAX ] && { IFS= read -r l || [ -n "$l" ]; }; '
        'do printf "|%s\\n" "$l"; n=$((n+1)); done <"$p"'
    ).replace("MAX", str(MAX_LINES))
    cpus = (
        'while IFS= read -r l; do case $l in cpu*) printf "|%s\\n" "$l";; *) break;; esac; '
        'done <"$p"'
    )
    prefix = 'sed -e "s/^/|/"'
    cases = {
        "R": f"{is_read} {lines}; else {why}; fi",
        "C": f"{is_read} {cpus}; else {why}; fi",
        # End the last line, so that the end mark is on a line of its own.
        "Z": f'{is_read} {{ head -c 65536 "$p" | tr "\\000\\012" "\\012\\001"; echo; }} '
        f"| {prefix}; else {why}; fi",
        "I": f'{is_read} grep -e CPU0 -e "\\.npu" "$p" | {prefix}; else {why}; fi',
        "A": f'{is_read} {{ head -c {MAX_BYTES} "$p"; echo; }} | {prefix}; else {why}; fi',
        "N": 'if [ -d "$p" ] && [ -r "$p" ]; then for l in "$p"/* "$p"/.[!.]*; do '
        'if [ -e "$l" ] || [ -h "$l" ]; then printf "|%s\\n" "${l##*/}"; fi; done; '
        f"else {why}; fi",
        "L": f'l=$(readlink "$p" 2>/dev/null) && printf "|%s\\n" "$l" || echo "!{errno.EINVAL}"',
        "P": f'cat "$p"/[0-9]*/stat | {prefix}',
        "E": f'if [ -e "$p" ]; then echo "|"; else {why}; fi',
    }
    branches = " ".join(
        f'"{kind} "*) {{ {done}; }} 2>/dev/null; echo ";" ;;' for kind, done in cases.items()
    )
    return (
        "LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/sbin:/sbin; export PATH; "
        "while IFS= read -r q; do p=${q#* }; case $q in .) ;; "
        f'{branches} *) echo "!{errno.EINVAL}"; echo ";" ;; esac; done'
    )
