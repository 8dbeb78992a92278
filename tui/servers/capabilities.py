"""Sentences about the limits of a kind of server, from its dialect record."""

from __future__ import annotations

from collections.abc import Mapping

from tui.servers.dialects.dialect import Dialect

FIELD_WORDS = {
    "is_thinking": "thinking",
    "repeat_penalty": "repeat penalty",
    "max_tokens": "max tokens",
}
"""Settings whose name in words is not the one of their field."""


def ignored_settings(dialect: Dialect) -> Mapping[str, str]:
    """Settings that such a server ignores, with the reason."""
    return {limit.field: limit.note for limit in dialect.limits if not limit.is_applied}


def flattening_note(dialect: Dialect) -> str | None:
    """How a conversation reaches the model of a server that hands on one message only; None where
    it is sent as it is."""
    if dialect.is_history_used:
        return None
    return f"{dialect.name} takes one message only: the conversation so far is sent inside it."


def is_one_at_a_time(dialect: Dialect) -> bool:
    """Whether a server of this kind works on one answer only and does not say that it does: its NPU
    runs on to the end, or a second prompt ends the first answer."""
    is_npu = dialect.is_overlap_fatal or not dialect.is_stopped_by_disconnect
    return is_npu and dialect.busy_path is None


def why_no_load(dialect: Dialect) -> str | None:
    """Why a model cannot be loaded from here, in one sentence; None where it can."""
    return _not_changed("load", dialect) if dialect.models.load_path is None else None


def why_no_unload(dialect: Dialect) -> str | None:
    """Why a model cannot be unloaded from here, in one sentence; None where it can."""
    return _not_changed("unload", dialect) if dialect.models.unload_path is None else None


def _not_changed(what: str, dialect: Dialect) -> str:
    return f"{dialect.name} cannot {what} a model on request: {dialect.models.why_no_load}."


def limits_of(dialect: Dialect) -> tuple[str, ...]:
    """Notes for users of such a server, one sentence each: settings that are ignored, models that
    cannot be changed from here, and :func:`notes_of`.
    """
    by_reason: dict[str, list[str]] = {}
    for name, reason in ignored_settings(dialect).items():
        by_reason.setdefault(reason, []).append(FIELD_WORDS.get(name, name))
    found = [
        f"No effect here: {', '.join(fields)} ({reason})." for reason, fields in by_reason.items()
    ]
    return (*found, *change_limits(dialect), *notes_of(dialect))


def change_limits(dialect: Dialect) -> tuple[str, ...]:
    """Which changes of its models are impossible from here, and why."""
    no_load, no_unload = why_no_load(dialect), why_no_unload(dialect)
    if no_load is not None and no_unload is not None:
        return (no_load.replace(" load a ", " load or unload a ", 1),)
    return tuple(sentence for sentence in (no_load, no_unload) if sentence is not None)


def notes_of(dialect: Dialect) -> tuple[str, ...]:
    """What else to know: models that it unloads by itself, answers that cannot be stopped, and its
    own notes."""
    idle = unload_note(dialect)
    found = [] if idle is None else [idle]
    if not dialect.is_stopped_by_disconnect:
        found.append("A stopped answer continues in the server, and the next one waits for it.")
    return (*found, *dialect.notes)


def unload_note(dialect: Dialect) -> str | None:
    """After how long it unloads an idle model; None where it does not, or nobody knows."""
    idle_s = dialect.models.idle_unload_s
    if idle_s is None:
        return None
    return f"It unloads a model by itself after {idle_s / 60:.0f} min without a prompt."
