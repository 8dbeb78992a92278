"""npulse's own limits of each generation setting, for any server."""

from __future__ import annotations

from typing import get_args

from msgspec import Meta

from tui.servers.dialects.limits import SettingLimit
from tui.settings.schema import SECTIONS, field_type


def generation_limits() -> tuple[SettingLimit, ...]:
    """The bounds of the section ``generation`` of config.toml, for the fields that have any."""
    bounds = (
        (name, bound)
        for name in SECTIONS["generation"].__struct_fields__
        for bound in get_args(field_type("generation", name))
    )
    return tuple(
        SettingLimit(name, bound.ge, bound.le)
        for name, bound in bounds
        if isinstance(bound, Meta) and bound.ge is not None
    )
