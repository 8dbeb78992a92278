"""Location and limits of the history, from the settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tui.core.text.sanitize import clean_line
from tui.servers.address import shown_url
from tui.settings.folders import data_folder

if TYPE_CHECKING:
    from tui.core.turn.turn import Turn
    from tui.core.types import ModelInfo
    from tui.history.recorder import Recorder
    from tui.history.records import Limits, Origin, WriterCommand
    from tui.servers.connection_state import Server
    from tui.settings.schema import HistorySection

MIB = 1 << 20


def history_file() -> Path:
    """Where this user's history is. The folder is for nothing else: it is closed to others."""
    from tui.history.database import FILE_NAME

    return data_folder() / "history" / FILE_NAME


def history_limits(section: HistorySection) -> Limits:
    """How much is kept."""
    from tui.history.records import Limits

    return Limits(section.max_age_days, section.max_size_mib * MIB)


def recorder(
    section: HistorySection,
    on_problem: Callable[[str | None], None],
    command: WriterCommand,
    on_stop_wanted: Callable[[Turn], None],
) -> Recorder | None:
    """The recorder of answers; None where nothing is to be stored. Creates no file before the first
    answer.
    """
    if not section.enabled:
        return None
    from tui.history.recorder import Recorder

    return Recorder(
        history_file(),
        on_problem,
        history_limits(section),
        command=command,
        on_stop_wanted=on_stop_wanted,
    )


def origin_of(server: Server, model: str, info: ModelInfo | None = None) -> Origin:
    """Server and model of an answer, as stored."""
    from tui.history.records import Origin

    is_named = info is not None and info.name == model
    return Origin(
        model=clean_line(model),
        server=clean_line(server.name),
        kind=server.dialect.name,
        version=None if server.version is None else clean_line(server.version),
        url=shown_url(server.url),
        quantisation=info.quantisation if info is not None and is_named else None,
        context_tokens=info.context_tokens if info is not None and is_named else None,
        is_simulated=server.is_simulated,
    )
