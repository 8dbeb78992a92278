"""Parses a config file: values with their file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tui.core.text.sanitize import clean_line
from tui.settings.regular_file import read_bounded, reason_of

MAX_CONFIG_BYTES = 1 << 20

Lines = Mapping[tuple[str, str], int]
"""Section and name -> line, counted from 1."""


class ConfigError(Exception):
    """A setting that cannot be used. Its text is one sentence, sanitised."""

    def __init__(self, sentence: str) -> None:
        super().__init__(clean_line(sentence))


@dataclass(frozen=True, slots=True)
class Given:
    """A given value and its origin."""

    value: object
    source: str
    """Where it came from: a file, a variable or a flag."""
    place: str
    """The origin for a sentence, with the line where it is known."""
    is_text: bool = False
    """Whether it is text for a value of another type, as in environment variables."""
    written: str = ""
    """The name as it was written."""
    section_place: str = ""
    """The place of its section, for a file."""


def read_file(
    path: Path | None, *, must_exist: bool, is_users: bool, warnings: list[str]
) -> dict[str, Given]:
    """The values of one file by dotted key; none where there is no file.

    A file that may be absent and lies in a folder that cannot be looked into gives a warning.
    Raises ConfigError where the file is there and cannot be used.
    """
    if path is None:
        return {}
    try:
        if not must_exist and not path.exists():
            if not is_users:
                warnings.append(f"{path} is missing: incomplete installation")
            return {}
    except (OSError, ValueError) as error:
        warnings.append(f"{path} cannot be looked for: {reason_of(error)}")
        return {}
    table, lines = read_toml(path)
    return dict(_flattened(table, path, lines))


def read_toml(path: Path) -> tuple[dict[str, object], Lines]:
    """The tables of a TOML file, and where they are written. Raises ConfigError."""
    text = _read_text(path)
    return _parsed(path, text), written_lines(text)


def _read_text(path: Path) -> str:
    try:
        raw = read_bounded(path, MAX_CONFIG_BYTES)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {reason_of(error)}.") from None
    if len(raw) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path} is larger than 1 MiB, so it is not read.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path} line {line}: the text is not UTF-8.") from None


def _parsed(path: Path, text: str) -> dict[str, object]:
    # Here, because npulse --version and npulse board need no config.
    import tomli

    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        place = f"{path} line {error.lineno}, column {error.colno}"
        raise ConfigError(f"{place}: this is not TOML: {error.msg}.") from None
    except RecursionError:
        raise ConfigError(f"{path}: this is not TOML: it is nested too deeply.") from None
    except ValueError:
        raise ConfigError(f"{path}: a number in it has thousands of digits.") from None


def _flattened(
    table: Mapping[str, object], path: Path, lines: Lines
) -> Iterator[tuple[str, Given]]:
    for section, content in table.items():
        if not isinstance(content, Mapping):
            place = place_of(path, lines, "", section)
            yield section, Given(content, str(path), place, written=section)
            continue
        header = place_of(path, lines, section, "")
        if not content:
            yield f"{section}.", Given(content, str(path), header, False, f"[{section}]", header)
        for name, value in content.items():
            key = f"{section}.{name}"
            place = place_of(path, lines, section, name)
            yield key, Given(value, str(path), place, False, key, header)


def place_of(path: Path, lines: Lines, section: str, name: str) -> str:
    """The file and, where it is known, the line of a key."""
    line = lines.get((section, name))
    return str(path) if line is None else f"{path} line {line}"


_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")


def written_lines(text: str) -> Lines:
    """Where each key and each section is written first; only what is written in a plain way.

    An empty section is the top of the file, an empty name the header of the section.
    """
    found: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            section = _bare(header[1])
            found.setdefault((section, ""), number)
            continue
        written, separator, _ = line.partition("=")
        if not separator:
            continue
        name = _bare(written)
        found.setdefault((section, name), number)
        if not section and "." in name:
            front, _, leaf = name.partition(".")
            found.setdefault((front, leaf), number)
    return found


def _bare(name: str) -> str:
    return name.strip().strip("\"'")
