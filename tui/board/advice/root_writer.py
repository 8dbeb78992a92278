"""Writes the files of fixes and runs their commands. Also a program, which sudo starts as root.

Arguments of the program: the root folder and the paths that it may write. It prints ``ready`` and
then executes one JSON line after another until its stdin ends. The process that sends them is not
root, so only the files, values and commands listed here are accepted, and neither PATH nor the
working directory of the caller affects which program is started. It uses the standard library only,
as it is started as a file, without the package.

::


    {"write": PATH, "value": TEXT or null, "kind": "kernel" or "config"}  ->  {"error": null}
    {"run": ["systemctl", "daemon-reload"]}  ->  {"error": SENTENCE}
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

READY = "ready"
COMMAND_S = 60
SAFE_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH for commands: directories in which only root can write."""
ELSEWHERE = errno.EXDEV
"""The error for a path that leads out of the board's files by a symbolic link."""

_WORD, _NUMBER = r"[a-z][a-z0-9_-]{0,29}", r"[0-9]{1,12}"
_EIGHT_BITS = r"[0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]"
_KERNEL = tuple(
    (re.compile(path, re.ASCII), re.compile(value))
    for path, value in (
        (r"/sys/class/devfreq/\w[\w.:-]{0,59}/governor", _WORD),
        (r"/sys/class/devfreq/\w[\w.:-]{0,59}/max_freq", _NUMBER),
        (r"/sys/devices/system/cpu/cpufreq/policy[0-9]{1,3}/scaling_governor", _WORD),
        (r"/sys/devices/system/cpu/cpufreq/policy[0-9]{1,3}/scaling_max_freq", _NUMBER),
        (r"/sys/class/hwmon/hwmon[0-9]{1,3}/pwm1", _EIGHT_BITS),
    )
)
_CHOICES = {
    "governor": "available_governors",
    "scaling_governor": "scaling_available_governors",
}
"""File name -> name of the file in the same folder that lists its valid values."""
_HIGHEST = {"max_freq": "available_frequencies", "scaling_max_freq": "cpuinfo_max_freq"}
"""File name of a limit -> name of the file that holds the highest possible clock."""
_CONFIG = (
    re.compile(
        r"/etc/systemd/system/[A-Za-z0-9@_][A-Za-z0-9@._:-]{0,99}\.service\.d/npulse-runtime-log\.conf"
    ),
    re.compile(r"\[Service\]\nEnvironment=RKLLM_LOG_LEVEL=[0-9]\n"),
)


def is_known(path: str, value: str | None, kind: str) -> bool:
    """Whether a fix may write this value to this path; ``None`` removes the file."""
    if kind == "kernel":
        if value is None:
            return False
        return any(p.fullmatch(path) and v.fullmatch(value) for p, v in _KERNEL)
    is_config = kind == "config" and _CONFIG[0].fullmatch(path) is not None
    return is_config and (value is None or _CONFIG[1].fullmatch(value) is not None)


# Commands ----------------------------------------------------------------------------------------


def own_command() -> tuple[str, ...]:
    """The command that starts npulse: the program installed with this Python, else this Python with
    ``-m tui``. PATH and the working directory are not used."""
    folders = (Path(sys.executable).parent, Path(sysconfig.get_path("scripts")))
    found = next((folder / "npulse" for folder in folders if (folder / "npulse").is_file()), None)
    return (sys.executable, "-I", "-m", "tui") if found is None else (str(found),)


def is_known_command(command: Sequence[str]) -> bool:
    """Whether a fix may run this command."""
    access = (*own_command(), "setup-npu-access")
    known = (("systemctl", "daemon-reload"), (*access, "--install"), (*access, "--remove"))
    return tuple(command) in known


def run(command: Sequence[str]) -> str | None:
    """Run a command. Returns a clause if it fails, with the last line of its output; else None."""
    words = " ".join(command)
    program = shutil.which(command[0], path=SAFE_PATH)
    if program is None:
        return f"{words} could not be run: there is no {command[0]} here"
    environment = {"PATH": SAFE_PATH, "LANG": "C.UTF-8"}
    try:
        done = subprocess.run(
            [program, *command[1:]],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_S,
            check=False,
            cwd="/",
            env=environment,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{words} could not be run: {error}"
    if done.returncode == 0:
        return None
    said = (done.stderr or done.stdout).strip().splitlines()
    return f"{words} failed: {said[-1] if said else f'code {done.returncode}'}"


# Files -------------------------------------------------------------------------------------------


def put(root: str, path: str, value: str | None, kind: str) -> None:
    """Write a file below ``root``. Kernel files are written in place; config files are created,
    replaced or removed. Raises OSError, with :data:`ELSEWHERE` if a link leads out of the board's
    files."""
    if kind == "config":
        _put_config(root, path, value)
        return
    prefix = "" if root == "/" else root
    if value is None or not _is_possible(f"{prefix}{path}", value):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    data = f"{value}\n".encode()
    # Checked with O_PATH before it is opened for writing: opening a device can have effects.
    looked_at = os.open(f"{prefix}{path}", os.O_PATH | os.O_CLOEXEC)
    try:
        _check_is_here(looked_at, root, path)
        fd = os.open(f"/proc/self/fd/{looked_at}", os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    finally:
        os.close(looked_at)
    try:
        os.write(fd, data)
        if root != "/":
            # A plain file keeps the rest of a longer old value.
            os.ftruncate(fd, len(data))
    finally:
        os.close(fd)


def _is_possible(full: str, value: str) -> bool:
    """Whether the kernel lists this value as valid; True if it has no list."""
    folder, _, name = full.rpartition("/")
    try:
        if name in _CHOICES:
            choices = Path(folder, _CHOICES[name]).read_text("ascii", "replace").split()
            return not choices or value in choices
        if name in _HIGHEST:
            clocks = Path(folder, _HIGHEST[name]).read_text("ascii", "replace").split()
            numbers = [int(clock) for clock in clocks if clock.isdecimal()]
            return not numbers or int(value) <= max(numbers)
    except OSError:
        pass
    return True


def _check_is_here(fd: int, root: str, path: str) -> None:
    """Raises OSError unless this is a file of sysfs, or one below another root, with this name."""
    status, real = os.fstat(fd), str(Path(f"/proc/self/fd/{fd}").readlink())
    if root == "/":
        # One file system holds all of /sys.
        is_here = status.st_dev == os.stat("/sys").st_dev  # noqa: PTH116 - beside fstat
    else:
        # A file with a second hard link could also be one outside the root.
        is_here = real.startswith(os.path.realpath(root) + "/") and status.st_nlink == 1
    has_name = real.rpartition("/")[2] == path.rpartition("/")[2]
    if not (is_here and has_name and stat.S_ISREG(status.st_mode)):
        raise OSError(ELSEWHERE, os.strerror(ELSEWHERE))


def _put_config(root: str, path: str, value: str | None) -> None:
    *parents, folder, name = path.strip("/").split("/")
    fds = [os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)]
    try:
        for part in (*parents, folder):
            fds.append(_opened_folder(fds[-1], part, is_made=value is not None))
        if value is None:
            os.unlink(name, dir_fd=fds[-1])
            with suppress(OSError):
                # Only succeeds if the folder is empty.
                os.rmdir(folder, dir_fd=fds[-2])
            return
        _replace(fds[-1], name, value)
    except FileNotFoundError:
        if value is not None:
            raise
    finally:
        for fd in fds:
            os.close(fd)


def _opened_folder(parent: int, name: str, *, is_made: bool) -> int:
    """Opens a folder without following a symbolic link. Raises OSError."""
    if is_made:
        with suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=parent)
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(name, flags, dir_fd=parent)
    except NotADirectoryError:
        raise OSError(ELSEWHERE, os.strerror(ELSEWHERE)) from None


def _replace(folder: int, name: str, value: str) -> None:
    """Replaces the file atomically, as systemd may read the folder at any time."""
    new = f".{name}.new"
    with suppress(FileNotFoundError):
        # Left by a killed process.
        os.unlink(new, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(new, flags, 0o644, dir_fd=folder), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(value)
    os.replace(new, name, src_dir_fd=folder, dst_dir_fd=folder)


# The program -------------------------------------------------------------------------------------


def _obey(order: object, root: str, allowed: frozenset[str]) -> str | int | None:
    """Executes one line. Returns None, an errno, or a clause."""
    if not isinstance(order, dict):
        return "not understood"
    if "run" in order:
        command = order["run"]
        is_words = isinstance(command, list) and all(isinstance(word, str) for word in command)
        if not is_words or not is_known_command(command):
            return "this command is not part of a fix"
        return run(command)
    path, value, kind = order.get("write"), order.get("value"), str(order.get("kind"))
    is_text = value is None or isinstance(value, str)
    if not isinstance(path, str) or path not in allowed or not is_text:
        return "this file is not part of this fix"
    if not is_known(path, value, kind):
        return "no fix writes this value there"
    try:
        put(root, path, value, kind)
    except OSError as error:
        return error.errno or "not possible"
    return None


def main(arguments: Sequence[str]) -> int:
    """Runs ``root_writer.py ROOT PATH ...``; returns the exit code."""
    # npulse handles Ctrl+C and then restores its changes, for which this process is needed.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    root, allowed = arguments[0], frozenset(arguments[1:])
    print(READY, flush=True)
    # stderr goes to /dev/null, as npulse uses the terminal from now on.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for line in sys.stdin:
        try:
            order = json.loads(line)
        except (ValueError, RecursionError):
            order = None
        print(json.dumps({"error": _obey(order, root, allowed)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
