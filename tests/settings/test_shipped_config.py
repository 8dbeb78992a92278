"""config.toml is the documentation of the settings, so it says what the code does."""

from __future__ import annotations

import msgspec
import tomli

from tui.settings.config import known_keys
from tui.settings.data_files import default_config
from tui.settings.schema import Settings


def _lines() -> list[str]:
    return default_config().read_text(encoding="utf-8").splitlines()


def test_it_holds_every_key_with_its_default_and_nothing_else() -> None:
    table = tomli.loads("\n".join(_lines()))
    assert table == msgspec.to_builtins(Settings(), builtin_types=()) | {
        "server": msgspec.to_builtins(Settings().server)
        | {"ports": [8021, 8080, 8000, 3000, 11434]}
    }
    written = [f"{section}.{key}" for section, keys in table.items() for key in keys]
    assert written == list(known_keys())


def test_every_key_has_a_comment_right_above_it() -> None:
    lines = _lines()
    keys = [at for at, line in enumerate(lines) if "=" in line and not line.startswith("#")]
    assert len(keys) == len(known_keys())
    for at in keys:
        assert lines[at - 1].startswith("# "), lines[at]
        assert lines[at - 1][2:].strip(), lines[at]


def test_it_fits_a_terminal() -> None:
    assert max(map(len, _lines())) <= 100
