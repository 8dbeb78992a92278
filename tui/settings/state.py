"""Choices made while npulse ran, for its next start: theme, generation settings, server, model.

The user's config.toml is never written. So that an edit of it is not overruled by an old choice,
each choice keeps the configured value that it was made against, and holds only as long as the
configuration still says that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from msgspec import Struct

from tui.core.text.sanitize import clean_line
from tui.core.types import GenerationSettings
from tui.servers.address import masked
from tui.servers.remembered_servers import RememberedServers
from tui.settings.config import LoadedConfig, checked, with_values
from tui.settings.config_file import ConfigError, Given
from tui.settings.folders import state_folder
from tui.settings.record_file import read_record, write_record
from tui.settings.schema import Settings

VERSION = 1

REMEMBERED = (
    "ui.theme",
    "generation.temperature",
    "generation.top_p",
    "generation.top_k",
    "generation.repeat_penalty",
    "generation.max_tokens",
    "generation.thinking",
    "generation.system_prompt",
    "chat.stop_loops",
    "ui.low_bandwidth",
)
"""The keys of config.toml that can be chosen while npulse runs."""

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """Present choices in the dashboard."""

    theme: str
    generation: GenerationSettings
    stops_loops: bool = False
    is_low_bandwidth: bool = False


class Choice(Struct, frozen=True, kw_only=True):
    """A value, and what the configuration said when it was chosen."""

    value: Value
    over: Value


class State(Struct, frozen=True, kw_only=True):
    """Everything that is remembered."""

    version: int = VERSION
    choices: Mapping[str, Choice] = {}
    """By dotted key."""
    server: str = ""
    """The address of the server that was chosen where several answered."""
    models: Mapping[str, str] = {}
    """Address of a server -> the model that was used last there."""
    typed_server: str = ""
    """The address that was typed last, of a server that answered."""

    @property
    def remembered(self) -> RememberedServers:
        """The servers and models, as a search for them takes them."""
        return RememberedServers(self.server, self.models, self.typed_server)

    def with_servers(self, remembered: RememberedServers) -> State:
        """This state with what is known of servers now. An address that holds a key is not kept."""
        return msgspec.structs.replace(
            self,
            server=_without_key(remembered.url),
            models={url: name for url, name in remembered.models.items() if _without_key(url)},
            typed_server=_without_key(remembered.typed_url),
        )

    def with_choice(self, key: str, value: Value, configured: Value) -> State:
        """This state with one more choice; choosing what is configured forgets the choice."""
        if key not in REMEMBERED:
            raise ValueError(f"{key} cannot be chosen while npulse runs")
        choices = {k: choice for k, choice in self.choices.items() if k != key}
        if value != configured:
            choices[key] = Choice(value=value, over=configured)
        return msgspec.structs.replace(self, choices=choices)


def _without_key(url: str) -> str:
    """The address, empty where a part of it must not be shown."""
    return url if masked(url) == url else ""


def state_file() -> Path:
    """Where this user's state is."""
    return state_folder() / "state.json"


def load_state(path: Path) -> tuple[State, str | None]:
    """The state, and a sentence where a file is there that cannot be used. Never raises."""
    state, problem = read_record(path, State, VERSION)
    said = None if problem is None else f"{problem}; earlier choices are left out."
    return state or State(), said


def remembered_servers() -> RememberedServers:
    """The server and the models that were chosen in the dashboard, for commands without one."""
    return load_state(state_file())[0].remembered


def save_state(path: Path, state: State) -> str | None:
    """Write the state whole or not at all, readable for its owner only.

    Gives a sentence where it cannot be written: a full or read-only disk is no reason to stop.
    """
    problem = write_record(path, state, VERSION)
    return clean_line(f"What was chosen cannot be kept in {path}: {problem}.") if problem else None


def with_state(loaded: LoadedConfig, state: State, source: str) -> LoadedConfig:
    """The settings with what was chosen earlier, where the configuration has not changed since.

    A value from the environment or a flag is for this one start and always wins. ``source`` names
    the state file in :attr:`LoadedConfig.sources`.
    """
    values: dict[str, object] = {}
    for key, choice in state.choices.items():
        if key not in REMEMBERED or choice.over != _configured(loaded.settings, key):
            continue
        if loaded.sources[key].startswith(("-", "NPULSE_")):
            continue
        with contextlib.suppress(ConfigError):
            values[key] = checked(key, Given(choice.value, source=source, place=source))
    if not values:
        return loaded
    sources = {**loaded.sources, **dict.fromkeys(values, source)}
    return replace(loaded, settings=with_values(loaded.settings, values), sources=sources)


def _configured(settings: Settings, key: str) -> object:
    section, _, name = key.partition(".")
    return getattr(getattr(settings, section), name)
