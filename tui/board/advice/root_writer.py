"""Writes the few files that fixes are made of. Also a program of its own, which sudo starts.

As a program it takes the root folder and the paths that it may write, says ``ready``, and then
obeys one JSON line after the other until its stdin ends. It knows which paths and values there can
be at all, and takes no others: what asks it is not root. Standard library only, for it is started
as a file, without the package.

::

    {"write": PATH, "value": TEXT or null, "kind": "kernel" or "config"}  ->  {"error": null}
    {"run": ["systemctl", "daemon-reload"]}  ->  {"error": SENTENCE}
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

READY = "ready"
COMMAND_S = 60
_WORD, _NUMBER = r"[a-z][a-z0-9_-]{0,29}", r"[0-9]{1,12}"
_KERNEL = tuple(
    (re.compile(path), re.compile(value))
    for path, value in (
        (r"/sys/class/devfreq/\w[\w.:-]{0,59}/governor", _WORD),
        (r"/sys/class/devfreq/\w[\w.:-]{0,59}/max_freq", _NUMBER),
        (r"/sys/devices/system/cpu/cpufreq/policy[0-9]{1,3}/scaling_governor", _WORD),
        (r"/sys/devices/system/cpu/cpufreq/policy[0-9]{1,3}/scaling_max_freq", _NUMBER),
        (r"/sys/class/hwmon/hwmon[0-9]{1,3}/pwm1", _NUMBER),
    )
)
_CONFIG = (
    re.compile(
        r"/etc/systemd/system/[A-Za-z0-9@_][A-Za-z0-9@._:-]{0,99}\.service\.d/npulse-runtime-log\.conf"
    ),
    re.compile(r"\[Service\]\nEnvironment=RKLLM_LOG_LEVEL=[0-9]\n"),
)
_COMMANDS = (["systemctl", "daemon-reload"],)
_OWN_COMMAND = "setup-npu-access"


def is_known(path: str, value: str | None, kind: str) -> bool:
    """Whether a fix may write that there; ``None`` removes a file."""
    if kind == "kernel":
        if value is None:
            return False
        return any(p.fullmatch(path) and v.fullmatch(value) for p, v in _KERNEL)
    is_config = kind == "config" and _CONFIG[0].fullmatch(path) is not None
    return is_config and (value is None or _CONFIG[1].fullmatch(value) is not None)


def is_known_command(command: Sequence[str]) -> bool:
    """Whether a fix may run that."""
    words = list(command)
    is_own = words[-2:-1] == [_OWN_COMMAND] and words[-1] in ("--install", "--remove")
    return words in _COMMANDS or is_own


def put(full: str, value: str | None, kind: str) -> None:
    """Write one file in place, as the kernel wants it, or make or remove a small one. Raises
    OSError."""
    if kind == "config":
        _put_config(Path(full), value)
        return
    data = f"{value}\n".encode()
    fd = os.open(full, os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        os.write(fd, data)
        if not full.startswith("/sys/"):
            # A tree of plain files keeps the end of what was longer.
            os.ftruncate(fd, len(data))
    finally:
        os.close(fd)


def _put_config(path: Path, value: str | None) -> None:
    if value is None:
        path.unlink(missing_ok=True)
        with suppress(OSError):
            # Only where nothing else is in it.
            path.parent.rmdir()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(value, encoding="utf-8")
        new.chmod(0o644)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def run(command: Sequence[str]) -> str | None:
    """Run a command. Returns what it says where it fails."""
    words = " ".join(command)
    try:
        done = subprocess.run(
            list(command), capture_output=True, text=True, timeout=COMMAND_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{words} could not be run: {error}"
    if done.returncode == 0:
        return None
    said = (done.stderr or done.stdout).strip().splitlines()
    return f"{words} failed: {said[-1] if said else f'code {done.returncode}'}"


def _obey(order: object, prefix: str, allowed: frozenset[str]) -> str | int | None:
    """What came of one line: None, an error number, or a sentence."""
    if not isinstance(order, dict):
        return "not understood"
    if "run" in order:
        command = order["run"]
        if not isinstance(command, list) or not is_known_command([str(w) for w in command]):
            return "that command is none of a fix"
        return run([str(word) for word in command])
    path, value, kind = order.get("write"), order.get("value"), str(order.get("kind"))
    is_text = value is None or isinstance(value, str)
    if not isinstance(path, str) or path not in allowed or not is_text:
        return "that file is none of this fix"
    if not is_known(path, value, kind):
        return "no fix writes that there"
    try:
        put(prefix + path, value, kind)
    except OSError as error:
        return error.errno or "not possible"
    return None


def main(arguments: Sequence[str]) -> int:
    """``root_writer.py ROOT PATH ...``"""
    # Ctrl+C is for npulse, which then puts back what it wrote.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    prefix = "" if arguments[0] == "/" else arguments[0].rstrip("/")
    allowed = frozenset(arguments[1:])
    print(READY, flush=True)
    # From now on the terminal is npulse's.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for line in sys.stdin:
        try:
            order = json.loads(line)
        except ValueError:
            order = None
        print(json.dumps({"error": _obey(order, prefix, allowed)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
