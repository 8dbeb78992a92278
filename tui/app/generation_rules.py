"""Limits of the generation settings, by the server and by npulse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tui.core.screen.setting_note import SettingNote
from tui.core.types import GenerationSettings
from tui.servers.connection_state import Server
from tui.servers.dialects.limits import SettingLimit, problems
from tui.settings.generation_limits import generation_limits

FAR_BOUND = 1_000_000
"""Upper bounds above this are shown as unbounded."""


def setting_problems(
    server: Server | None, settings: GenerationSettings
) -> Sequence[tuple[str, str]]:
    """Fields that the server or npulse would refuse, with sentences."""
    own = problems(generation_limits(), settings, "npulse")
    if server is None:
        return own
    found = problems(server.dialect.limits, settings, server.name)
    named = {name for name, _ in found}
    return (*found, *(problem for problem in own if problem[0] not in named))


def setting_notes(server: Server | None) -> Mapping[str, SettingNote]:
    """By field: the allowed values, and whether the server uses it."""
    limits = generation_limits() if server is None else server.dialect.limits
    return {
        limit.field: SettingNote(_range_of(limit), limit.note, is_ignored=not limit.is_applied)
        for limit in limits
    }


def _range_of(limit: SettingLimit) -> str:
    has_range = limit.low is not None or limit.high is not None
    if limit.low is not None and limit.high is not None and limit.high >= FAR_BOUND:
        limit = replace(limit, high=None)
    return limit.allowed if has_range else ""
