"""The real sudo for tests: rules for one user without rights, and a password of its own.

It writes to ``/etc/sudoers.d`` and ``/etc/pam.d`` and takes both away again, so it is done only
where :data:`SWITCH` says that the machine is there for it, as ``.ci/run`` does.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SWITCH = "NPULSE_TEST_SUDO"
USER, GROUP = "nobody", "nogroup"
PASSWORD = "a secret"
_NAME = "npulse-test"
_RULES, _PAM = Path("/etc/sudoers.d", _NAME), Path("/etc/pam.d", _NAME)
_NEEDED = ("sudo", "setpriv")


def why_not() -> str | None:
    """Why the real sudo cannot be tested here."""
    if not os.environ.get(SWITCH):
        return f"writes to /etc/sudoers.d: only with {SWITCH}=1"
    if os.geteuid() != 0:
        return "the rules of sudo are written by root"
    missing = next((name for name in _NEEDED if shutil.which(name) is None), None)
    if missing is None and not list(Path("/").glob("*/*/security/pam_exec.so")):
        missing = "pam_exec"
    return None if missing is None else f"there is no {missing} here"


def as_user(command: Sequence[str]) -> list[str]:
    """The command as that user runs it."""
    return ["setpriv", "--reuid", USER, "--regid", GROUP, "--clear-groups", "--", *command]


class SudoRules:
    """What that user may do. It is asked for :data:`PASSWORD` each time, and once only."""

    def __init__(self, folder: Path) -> None:
        self._check = folder / "check-password"
        self._check.write_text(f'#!/bin/sh\nread -r word\n[ "$word" = "{PASSWORD}" ]\n')
        self._check.chmod(0o755)
        # What fails in pam_exec is no wrong password, but what pam_deny says is one.
        _PAM.write_text(
            f"auth [success=1 default=ignore] pam_exec.so quiet expose_authtok {self._check}\n"
            "auth requisite pam_deny.so\nauth required pam_permit.so\n"
            "account required pam_permit.so\nsession required pam_permit.so\n"
        )

    def allow(self, *, is_allowed: bool) -> None:
        """Whether it may do everything, or nothing."""
        options = f"pam_service={_NAME}, passwd_tries=1, timestamp_timeout=0, !lecture, use_pty"
        rule = f"{USER} ALL=(root) ALL\n" if is_allowed else ""
        new = _RULES.with_name(f".{_NAME}")
        new.write_text(f"Defaults:{USER} {options}\n{rule}")
        new.chmod(0o440)
        new.replace(_RULES)


@contextmanager
def sudo_rules() -> Iterator[SudoRules]:
    """One test of this machine at a time."""
    folder = Path(tempfile.mkdtemp(prefix="npulse-sudo-"))
    folder.chmod(0o755)
    with Path(tempfile.gettempdir(), f"{_NAME}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield SudoRules(folder)
        finally:
            for path in (_RULES, _PAM):
                path.unlink(missing_ok=True)
            shutil.rmtree(folder)
