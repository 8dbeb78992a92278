"""Whether the runtime's own numbers can be read, and what to set where they cannot."""

from __future__ import annotations

import shlex

from tui.board.runtime_log.load_lines import place
from tui.board.runtime_log.source import VARIABLE, LogSource
from tui.core.board.load_facts import LoadFacts
from tui.core.screen.doctor_check import Check
from tui.core.text.sanitize import clean_line

ID, TITLE = "runtime.log", "runtime log"


def load_check(facts: LoadFacts) -> Check | None:
    """The check with what the runtime logged when it loaded the model; None if it logged
    nothing."""
    if not facts.is_known:
        return None
    detail = f"{facts.line}; from {facts.source}."
    return Check("runtime.load", "ok", "loaded with", detail[:1].upper() + detail[1:])


def runtime_log_check(source: LogSource | None) -> Check:
    """The check of the runtime's log; never more than a note, as npulse measures without it too."""
    if source is None:
        detail = "The process of the server cannot be seen, so its log is not read."
        return Check(ID, "note", TITLE, detail)
    if source.kind == "none":
        why = source.reason or "it cannot be read"
        return Check(ID, "note", TITLE, f"The log of the server is not read: {why}.")
    where = place(source)
    if source.has_variable:
        return Check(ID, "ok", TITLE, f"{VARIABLE} is set; the numbers are read from {where}.")
    is_set = "is not set" if source.has_variable is False else "cannot be seen"
    detail = (
        f"Read from {where}. {VARIABLE} {is_set}: the runtime prints its own prefill and decode "
        f"times only with it, unless the server logs them itself."
    )
    return Check(ID, "note", TITLE, f"{detail}{_how(source)}", _command(source))


def _how(source: LogSource) -> str:
    if source.kind in ("docker", "podman"):
        return f" Start the container with -e {VARIABLE}=1 to have them."
    if source.kind == "file":
        return f" Start the server with {VARIABLE}=1 to have them."
    return f" In the editor, add the lines [Service] and Environment={VARIABLE}=1, then restart it."


def _command(source: LogSource) -> str | None:
    name = shlex.quote(clean_line(source.name, 120))
    if source.kind == "journal":
        return f"sudo systemctl edit {name}"
    return f"systemctl --user edit {name}" if source.kind == "user-journal" else None
