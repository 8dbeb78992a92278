"""Hostile text in a real terminal: no sequence leaves that harmless text does not cause too."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


ROOT = Path(__file__).resolve().parents[3]
SEQUENCE = re.compile(
    rb"\x1b\[([<-?]?)([0-9;:]*)([ -/]*[@-~])|\x1b\]([0-9]*).*?(?:\x07|\x1b\\)|\x1b([PX^_])|\x1b(.)|"
    rb"([\x00-\x08\x0b\x0c\x0e-\x1a\x7f]|\r(?!\n))|(\xc2[\x80-\x9f])",
    re.DOTALL,
)
ANSWERS = {b"\x1b[c": b"\x1b[?62;4c", b"\x1b[?2026$p": b"\x1b[?2026;2$y"}


def output_of(mode: str) -> bytes:
    """Everything that the program writes to a terminal of 100x30."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.environ.update({"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"})
        os.execv(sys.executable, [sys.executable, "-m", "tests.widgets.transcript.flood", mode])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    out = bytearray()
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        out += data
        for question, answer in ANSWERS.items():
            if question in data:
                os.write(fd, answer)
    else:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        pytest.fail("the program did not end")
    os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return bytes(out)


def kinds(output: bytes) -> set[bytes]:
    """The sequences in an output by what they do; colours and positions are all one."""
    found = set()
    for match in SEQUENCE.finditer(output):
        private, numbers, final, osc, string, other, control, c1 = match.groups()
        if final is not None:
            found.add(private + (b"" if final in (b"m", b"H") else numbers) + final)
        else:
            found.add(match.group()[:12] if osc is None else b"osc " + osc)
        assert not string, match.group()
        assert not c1, match.group()
        assert other is None or other in b"=>78", match.group()
        assert control is None, match.group()
    return found


def test_hostile_text_causes_no_sequence_of_its_own() -> None:
    hostile, harmless = output_of("hostile"), output_of("harmless")
    assert len(hostile) > 50_000
    assert kinds(hostile) <= kinds(harmless)
