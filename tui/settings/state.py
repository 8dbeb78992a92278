"""What was chosen while npulse ran, for its next start: theme, settings for answers, server, model.

The user's config.toml is never written. So that an edit of it is not overruled by an old choice,
each choice keeps the configured value that it was made against, and holds only as long as the
configuration still says that.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
from msgspec import Struct

from tui.core.text.sanitize import clean_line
from tui.servers.remembered import RememberedServers
from tui.settings.config import LoadedConfig, checked, with_values
from tui.settings.config_file import ConfigError, Given
from tui.settings.folders import state_folder
from tui.settings.regular_file import read_bounded
from tui.settings.schema import Settings

MAX_STATE_BYTES = 4 << 20
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
)
"""The keys of config.toml that can be chosen while npulse runs."""

Value = str | int | float | bool


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

    @property
    def remembered(self) -> RememberedServers:
        """The servers and models, as a search for them takes them."""
        return RememberedServers(self.server, self.models)

    def with_servers(self, remembered: RememberedServers) -> State:
        """This state with what is known of servers now."""
        models = dict(remembered.models)
        return msgspec.structs.replace(self, server=remembered.url, models=models)

    def with_choice(self, key: str, value: Value, configured: Value) -> State:
        """This state with one more choice; choosing what is configured forgets the choice."""
        if key not in REMEMBERED:
            raise ValueError(f"{key} cannot be chosen while npulse runs")
        choices = {k: choice for k, choice in self.choices.items() if k != key}
        if value != configured:
            choices[key] = Choice(value=value, over=configured)
        return msgspec.structs.replace(self, choices=choices)


def state_file() -> Path:
    """Where this user's state is."""
    return state_folder() / "state.json"


def load_state(path: Path) -> tuple[State, str | None]:
    """The state, and a sentence where a file is there that cannot be used. Never raises."""
    try:
        raw = read_bounded(path, MAX_STATE_BYTES)
    except FileNotFoundError:
        return State(), None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return State(), clean_line(
            f"{path} cannot be read: {reason}; earlier choices are left out."
        )
    try:
        state = msgspec.json.decode(raw, type=State)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return State(), clean_line(f"{path} is damaged; earlier choices are left out.")
    if state.version != VERSION:
        return State(), clean_line(
            f"{path} was written by another version of npulse; earlier choices are left out."
        )
    return state, None


def remembered_servers() -> RememberedServers:
    """The server and the models that were chosen in the dashboard, for commands without one."""
    return load_state(state_file())[0].remembered


def save_state(path: Path, state: State) -> str | None:
    """Write the state whole or not at all, readable for its owner only.

    Gives a sentence where it cannot be written: a full or read-only disk is no reason to stop.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A temporary file is made with mode 0600.
        handle, written = tempfile.mkstemp(dir=path.parent, prefix=".state-")
    except (OSError, ValueError) as error:
        return _not_saved(path, error)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        Path(written).replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(written).unlink()
        return _not_saved(path, error)
    return None


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


def _not_saved(path: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    return clean_line(f"What was chosen cannot be kept in {path}: {reason}.")
