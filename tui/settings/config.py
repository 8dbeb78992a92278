"""Reads config.toml into typed settings.

In rising precedence: the file that npulse brings along, the user's file, ``--config FILE``, the
environment (``NPULSE_SECTION__KEY``), flags. A name that is not known is a warning with the nearest
one that is; a value that cannot be used stops the start with one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from tui.core.screen.key_names import canonical_keys
from tui.core.screen.keymap import key_clashes
from tui.core.screen.keys.table import default_keys
from tui.core.text.in_quotes import in_quotes
from tui.core.text.sanitize import clean_line
from tui.remote.address import BoardAddress, board_address
from tui.servers.address import AROUND, normalised_url, shown_url
from tui.settings.config_file import ConfigError, Given, read_file
from tui.settings.data_files import default_config
from tui.settings.folders import config_folder
from tui.settings.schema import SECTIONS, Settings, allowed, field_type

__all__ = ["ConfigError", "ConfigPaths", "LoadedConfig", "config_paths", "load"]

ENV_PREFIX = "NPULSE_"
KEYS = "keys"
BOARDS = "boards"
"""The section whose names are the user's own."""
MAX_WARNINGS = 20
"""Most warnings about one file."""

_SECTION_NAMES = (*SECTIONS, KEYS, BOARDS)

ALL_BOARDS = "all"
_BOARD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,39}")

_FLAGS = {"generation.system_prompt": "--system"}
"""Flags that are not named as their key is."""


@dataclass(frozen=True, slots=True)
class ConfigPaths:
    """The files, lowest first. Only ``named`` has to be there."""

    shipped: Path
    user: Path
    named: Path | None = None
    """``--config FILE``."""


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """The settings, and where each of them was found."""

    settings: Settings
    warnings: tuple[str, ...]
    """Sentences, sanitised."""
    sources: Mapping[str, str]
    """Dotted key -> ``default``, a file, a variable or a flag."""


def config_paths(named: str | Path | None = None) -> ConfigPaths:
    """The files of this installation and this user; ``named`` is the one given by ``--config``."""
    return ConfigPaths(
        shipped=default_config(),
        user=config_folder() / "config.toml",
        named=None if named is None else Path(named).expanduser(),
    )


def load(
    paths: ConfigPaths,
    env: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
) -> LoadedConfig:
    """Read, check and merge. ``overrides`` are flags by dotted key; one of None was not given.

    Raises ConfigError with one sentence that names the place, the key, what was given and what is
    allowed.
    """
    warnings: list[str] = []
    chosen: dict[str, object] = {}
    sources = dict.fromkeys(known_keys(), "default")
    own_keys = {f"{KEYS}.{action}": keys for action, keys in default_keys().items()}
    layers = (
        read_file(paths.shipped, must_exist=False, is_users=False, warnings=warnings),
        read_file(paths.user, must_exist=False, is_users=True, warnings=warnings),
        read_file(paths.named, must_exist=True, is_users=True, warnings=warnings),
        _from_environment(env),
        _from_flags(overrides or {}),
    )
    for depth, layer in enumerate(layers):
        warnings.extend(_unknown(layer))
        for key, given in layer.items():
            if key in _SECTION_NAMES:
                raise ConfigError(
                    f"{given.place}: {key} is {in_quotes(given.value)}; it is a section, "
                    f"so write [{key}] and its keys below."
                )
            if key.startswith(f"{BOARDS}.") and key != f"{BOARDS}.":
                chosen[key], sources[key] = _checked_board(key, given), given.source
            elif key in sources:
                # Most of a file are npulse's own keys, which need no check.
                is_own = key in own_keys and given.value == own_keys[key]
                chosen[key] = given.value if is_own else checked(key, given)
                sources[key] = given.source if depth else "default"
    settings = with_values(Settings(), chosen)
    warnings.extend(_clashes(settings.keys))
    return LoadedConfig(settings, tuple(map(clean_line, warnings)), sources)


def known_keys() -> tuple[str, ...]:
    """Every dotted key, in the order of the file."""
    fields = [
        f"{section}.{field}"
        for section, kind in SECTIONS.items()
        for field in kind.__struct_fields__
    ]
    return (*fields, *(f"{KEYS}.{action}" for action in default_keys()))


def checked(key: str, given: Given) -> object:
    """The value of a known key in its type. Raises ConfigError."""
    section, _, name = key.partition(".")
    if section == KEYS:
        return _checked_keys(key, given)
    kind = field_type(section, name)
    if key == "server.url" and isinstance(given.value, str):
        given = replace(given, value=given.value.strip(AROUND))
    try:
        return msgspec.convert(_from_text(kind, given), kind, strict=not given.is_text)
    except (msgspec.ValidationError, OverflowError):
        raise ConfigError(
            f"{given.place}: {key} is {_shown(key, given.value)}; it takes {allowed(kind)}."
        ) from None


def _shown(key: str, value: object) -> str:
    """A wrong value as a sentence shows it; what may be a secret is not."""
    if key == "server.api_key_env":
        return "something else"
    return in_quotes(shown_url(value) if key == "server.url" and isinstance(value, str) else value)


def with_values(settings: Settings, values: Mapping[str, object]) -> Settings:
    """``settings`` with these values by dotted key in place; they are checked already."""
    by_section: dict[str, dict[str, object]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        by_section.setdefault(section, {})[name] = value
    changed: dict[str, object] = {
        section: msgspec.structs.replace(getattr(settings, section), **fields)
        for section, fields in by_section.items()
        if section not in (KEYS, BOARDS)
    }
    if KEYS in by_section:
        changed[KEYS] = {**settings.keys, **by_section[KEYS]}
    if BOARDS in by_section:
        changed[BOARDS] = {**settings.boards, **by_section[BOARDS]}
    return msgspec.structs.replace(settings, **changed)


def _checked_keys(key: str, given: Given) -> str:
    wanted = 'keys such as "ctrl+r" or "f5,alt+r"'
    if not isinstance(given.value, str):
        raise ConfigError(f"{given.place}: {key} is {in_quotes(given.value)}; it takes {wanted}.")
    try:
        return canonical_keys(given.value)
    except ValueError as error:
        raise ConfigError(
            f"{given.place}: {key} is {in_quotes(given.value)}, but {error}; it takes {wanted}."
        ) from None


def _checked_board(key: str, given: Given) -> BoardAddress:
    """``"ssh://user@board"``, or a table of that as ``ssh`` and the board's own ``server``."""
    name = key.partition(".")[2]
    value = given.value
    table = value if isinstance(value, Mapping) else {"ssh": value}
    ssh, server, root = table.get("ssh"), table.get("server", ""), table.get("root", "/")
    unknown = sorted(set(table) - {"ssh", "server", "root"})
    try:
        if not _BOARD_NAME.fullmatch(name):
            raise ValueError("a name has letters, digits, hyphens and dots, 40 at most")
        if name == ALL_BOARDS:
            raise ValueError(f"{ALL_BOARDS} stands for every board (--boards {ALL_BOARDS})")
        if unknown:
            raise ValueError(f"{unknown[0]} is none of ssh, server and root")
        if not (isinstance(ssh, str) and isinstance(server, str)):
            raise ValueError('write it as "ssh://user@board" or { ssh = "…", server = "…" }')
        if not isinstance(root, str) or not root.startswith("/") or "\n" in root:
            raise ValueError("root is a folder of the board, such as /host")
        address = board_address(
            ssh, name=name, server_url=normalised_url(server) if server else None
        )
        return replace(address, root=root)
    except ValueError as error:
        raise ConfigError(f"{given.place}: {key} is {in_quotes(value)}: {error}.") from None


def _from_text(kind: object, given: Given) -> object:
    """A list in a variable is written with commas, and on and off are what they say."""
    value = given.value
    if not given.is_text or not isinstance(value, str):
        return value
    if kind is bool:
        return {"on": "true", "yes": "true", "off": "false", "no": "false"}.get(
            value.strip().lower(), value.strip()
        )
    if kind == field_type("server", "ports"):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _from_environment(env: Mapping[str, str]) -> dict[str, Given]:
    found: dict[str, Given] = {}
    for name in sorted(env):
        if not name.startswith(ENV_PREFIX) or "__" not in name:
            continue
        key = name.removeprefix(ENV_PREFIX).lower().replace("__", ".", 1)
        found[key] = Given(env[name], source=name, place=name, is_text=True, written=name)
    return found


def _from_flags(overrides: Mapping[str, object]) -> dict[str, Given]:
    found: dict[str, Given] = {}
    for key, value in overrides.items():
        if value is None:
            continue
        flag = _FLAGS.get(key, "--" + key.rpartition(".")[2].replace("_", "-"))
        found[key] = Given(value, source=flag, place=flag, written=flag)
    return found


def _unknown(layer: Mapping[str, Given]) -> list[str]:
    """One sentence for each name of a layer that is not known; a section counts as one name."""
    known = known_keys()
    found: dict[str, str] = {}
    for key, given in layer.items():
        if len(found) > MAX_WARNINGS:
            break
        section, _, name = key.partition(".")
        if key in known or (section == BOARDS and name) or (section in _SECTION_NAMES and not name):
            continue
        written, place = given.written, given.place
        if section not in _SECTION_NAMES and name and given.section_place:
            name, written, place = "", f"[{section}]", given.section_place
        meant = _meant(section, name)
        if meant and given.is_text:
            meant = ENV_PREFIX + meant.strip("[]").upper().replace(".", "__")
        what = written if given.is_text else f"{place}: {written}"
        hint = f"; did you mean {meant}?" if meant else ""
        found.setdefault(written, f"{what} is not known and was ignored{hint}")
    return list(found.values())


def _meant(section: str, name: str) -> str:
    """The most similar known name, or None."""
    import difflib  # here: only a mistake needs it

    leaf = name or section
    for key in known_keys():
        if key.rpartition(".")[2] == leaf:
            return key
    if section in _SECTION_NAMES:
        names = [k.partition(".")[2] for k in known_keys() if k.startswith(f"{section}.")]
        near = difflib.get_close_matches(name, names, n=1)
        return f"{section}.{near[0]}" if near else ""
    near = difflib.get_close_matches(section, _SECTION_NAMES, n=1)
    return f"[{near[0]}]" if near else ""


def _clashes(keys: Mapping[str, str]) -> list[str]:
    """A sentence for each key that two actions of one screen have."""
    return [
        f"[keys]: {clash.key} is given to both {clash.first_id} and {clash.second_id}"
        for clash in key_clashes(keys)
    ]
