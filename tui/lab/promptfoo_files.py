"""Files that a promptfoo configuration names: prompts, variables and tests beside it.

Formats: promptfoo's documentation of prompts, test cases and variables. A file is named by
``file://`` and a path relative to the configuration's folder; nothing outside that folder is read.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tui.files.private import read_regular
from tui.lab.sets.problems import quoted
from tui.lab.yaml_text import YamlError, read_yaml

MAX_BYTES = 1 << 20
MAX_FILES, MAX_ROWS = 200, 10_000
FILE = "file://"
_PROMPT_FILE = re.compile(r"[^\s{}]+\.(?:txt|md|jsonl?|ya?ml|csv)", re.IGNORECASE)
_SEPARATOR = re.compile(r"^---[ \t]*$", re.MULTILINE)
_EXPECTED = re.compile(
    r"(?P<kind>(?:not-)?[a-z]+(?:-[a-z]+)*)(?:\((?P<limit>[0-9.]+)\))?(?::[ \t]*(?P<value>.*))?",
    re.DOTALL,
)


class FileProblemError(ValueError):
    """A file that cannot be used; the message is a clause about it."""


def names_prompt_file(text: str) -> bool:
    """Whether a prompt is the name of a file, with or without ``file://``, as in promptfoo."""
    text = text.strip()
    return text.startswith(FILE) or _PROMPT_FILE.fullmatch(text) is not None


class ConfigFiles:
    """Reads files in the configuration's folder; none without a ``folder``."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else folder.resolve()

    def prompts(self, name: str) -> list[tuple[str, str]]:
        """(label, text) of each prompt in a file, or in the files that a pattern names. Raises
        FileProblemError."""
        found: list[tuple[str, str]] = []
        for path in self._paths(name):
            stem, kind = path.stem, path.suffix.lower()
            text = self._text(path)
            if kind == ".csv":
                for row in _rows(text):
                    words = row.get("prompt") or next(iter(row.values()), "")
                    found.append((row.get("label") or stem, words))
            elif kind == ".jsonl":
                found += [(stem, line) for line in text.splitlines() if line.strip()]
            elif kind in (".yaml", ".yml"):
                value = _parsed(path, text)
                is_text = isinstance(value, str)
                found.append((stem, value if is_text else json.dumps(value, ensure_ascii=False)))
            elif kind in (".txt", ".md", ".json"):
                parts = [text] if kind == ".json" else _SEPARATOR.split(text)
                found += [(stem, part.strip("\n")) for part in parts if part.strip()]
            else:
                raise FileProblemError(f"{quoted(path.name)} is a program, or no text of prompts")
        return found

    def tests(self, name: str) -> list[Any]:
        """The tests in a file, as a configuration has them. Raises FileProblemError."""
        found: list[Any] = []
        for path in self._paths(name):
            text, kind = self._text(path), path.suffix.lower()
            if kind == ".csv":
                found += [_test_of(row) for row in _rows(text)]
            elif kind == ".jsonl":
                found += [_parsed(path, line) for line in text.splitlines() if line.strip()]
            elif kind in (".json", ".yaml", ".yml"):
                value = _parsed(path, text)
                found += value if isinstance(value, list) else [value]
            else:
                raise FileProblemError(f"{quoted(path.name)} is a program, or no list of tests")
        return found[:MAX_ROWS]

    def value(self, name: str) -> Any:
        """The value of a variable, or a table of all variables, in a file. Raises
        FileProblemError."""
        (path, *more) = self._paths(name)
        if more:
            raise FileProblemError(f"{quoted(name)} names more than one file")
        text, kind = self._text(path), path.suffix.lower()
        if kind in (".json", ".yaml", ".yml"):
            return _parsed(path, text)
        if kind in (".js", ".mjs", ".cjs", ".ts", ".py", ".pdf", ".png", ".jpg", ".jpeg"):
            raise FileProblemError(f"{quoted(path.name)} is a program, or no text")
        return text.removesuffix("\n")

    def _paths(self, name: str) -> list[Path]:
        folder = self._folder
        relative = name.strip().removeprefix(FILE)
        if folder is None:
            raise FileProblemError(f"{quoted(name)} is a file; copy its text into the set")
        if not relative or "\0" in relative:
            raise FileProblemError(f"{quoted(name)} names no file")
        if Path(relative).is_absolute() or ".." in Path(relative).parts:
            raise FileProblemError(f"{quoted(name)} lies outside of the configuration's folder")
        try:
            is_pattern = any(char in relative for char in "*?[")
            found = sorted(folder.glob(relative)) if is_pattern else [folder / relative]
            found = [path for path in found if not is_pattern or path.is_file()]
            outside = [path for path in found if not path.resolve().is_relative_to(folder)]
        except (OSError, ValueError, RuntimeError):
            raise FileProblemError(f"{quoted(name)} names no file") from None
        if outside:
            raise FileProblemError(f"{quoted(name)} lies outside of the configuration's folder")
        if not found or len(found) > MAX_FILES:
            raise FileProblemError(f"{quoted(name)} names {len(found) or 'no'} files")
        return found

    def _text(self, path: Path) -> str:
        try:
            data = read_regular(path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise FileProblemError(f"{self._shown(path)} cannot be read: {reason}") from None
        if len(data) > MAX_BYTES:
            raise FileProblemError(f"{self._shown(path)} is larger than 1 MiB")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise FileProblemError(f"{self._shown(path)} is not UTF-8") from None

    def _shown(self, path: Path) -> str:
        """A file as a configuration names it."""
        folder = self._folder or path.parent
        return quoted(f"{FILE}{path.relative_to(folder)}")


def _parsed(path: Path, text: str) -> Any:
    """Parses YAML or JSON."""
    try:
        return read_yaml(text.encode())
    except YamlError as error:
        raise FileProblemError(
            f"the file {quoted(path.name)} cannot be read as YAML: {error}"
        ) from None


def _rows(text: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV table with a header; cells beyond the header are left out."""
    try:
        for count, row in enumerate(csv.DictReader(io.StringIO(text, newline=""))):
            if count >= MAX_ROWS:
                return
            yield {str(key).strip(): value or "" for key, value in row.items() if key is not None}
    except csv.Error as error:
        raise FileProblemError(f"it cannot be read as CSV: {error}") from None


def _test_of(row: dict[str, str]) -> dict[str, Any]:
    """A CSV row as a test: ``__expected``, ``__expected1``, ... are asserts, ``__description`` its
    name. Other columns with two underscores are kept, to be reported as unknown; the rest are
    variables."""
    made: dict[str, Any] = {"vars": {}}
    asserts = []
    for key, value in row.items():
        if re.fullmatch(r"__expected[0-9]*", key):
            if value.strip():
                asserts.append(_assert_of(value.strip()))
        elif key == "__description":
            made["description"] = value
        elif key.startswith("__"):
            if value:
                made[key] = value
        else:
            made["vars"][key] = value
    return {**made, "assert": asserts} if asserts else made


def _assert_of(text: str) -> dict[str, Any]:
    """``contains: Paris``, ``latency(500)``, ``is-json``; any other text means ``equals``."""
    found = _EXPECTED.fullmatch(text)
    bare = ("is-json", "not-is-json")
    if found is None or (found["value"] is None and found["limit"] is None and text not in bare):
        return {"type": "equals", "value": text}
    made: dict[str, Any] = {"type": found["kind"]}
    if found["limit"] is not None:
        made["threshold"] = _number(found["limit"])
    if found["value"]:
        value = found["value"].strip()
        has_list = found["kind"].endswith(("-any", "-all"))
        made["value"] = [part.strip() for part in value.split(",")] if has_list else value
        if found["kind"].endswith("latency") and "threshold" not in made:
            made["threshold"] = _number(made.pop("value"))
    return made


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
