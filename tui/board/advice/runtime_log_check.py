"""Whether the runtime's own numbers can be read, and what to set where they cannot."""

from __future__ import annotations

import shlex

from tui.board.runtime_log.source import VARIABLE, LogSource
from tui.core.screen.check import Check
from tui.core.text.sanitize import clean_line

ID, TITLE = "runtime.log", "runtime log"


def runtime_log_check(source: LogSource | None) -> Check:
    """One check. Nothing here is required: the numbers of npulse's own clock are always there."""
    if source is None:
        detail = "The process of the server cannot be seen, so its log is not read."
        return Check(ID, "note", TITLE, detail)
    if source.kind == "none":
        why = source.reason or "it cannot be read"
        return Check(ID, "note", TITLE, f"The log of the server is not read: {why}.")
    place = _place(source)
    if source.has_variable:
        return Check(ID, "ok", TITLE, f"{VARIABLE} is set; the numbers are read from {place}.")
    is_set = "is not set" if source.has_variable is False else "cannot be seen"
    detail = (
        f"Read from {place}. {VARIABLE} {is_set}: the runtime prints its own prefill and decode "
        f"times only with it, unless the server logs them itself."
    )
    return Check(ID, "note", TITLE, f"{detail}{_how(source)}", _command(source))


def _place(source: LogSource) -> str:
    name = clean_line(source.user_path or source.name, 120)
    if source.kind == "file":
        return f"the file {name}"
    if source.kind in ("docker", "podman"):
        return f"{source.kind} logs {name[:12]}"
    return f"the journal of {name}"


def _how(source: LogSource) -> str:
    if source.kind in ("docker", "podman"):
        return f" Start the container with -e {VARIABLE}=1 to have them."
    if source.kind == "file":
        return f" Start the server with {VARIABLE}=1 to have them."
    return f" In the editor, add the lines [Service] and Environment={VARIABLE}=1; then restart it."


def _command(source: LogSource) -> str | None:
    name = shlex.quote(clean_line(source.name, 120))
    if source.kind == "journal":
        return f"sudo systemctl edit {name}"
    return f"systemctl --user edit {name}" if source.kind == "user-journal" else None
