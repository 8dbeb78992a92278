"""The direction of imports: who may know whom, and which library lives where.

Every import counts, also one inside a function: a lazy import of the wrong thing is still the wrong
direction.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tui.cli import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tui"

LAYERS: Mapping[str, frozenset[str]] = {
    "core": frozenset(),
    "servers": frozenset({"core"}),
    "board": frozenset({"core"}),
    "store": frozenset({"core"}),
    "sim": frozenset({"core"}),
    "widgets": frozenset({"core"}),
    "screens": frozenset({"core", "widgets"}),
    "bench": frozenset({"core", "servers", "board", "store"}),
}
"""Each layer, and the layers below it that it may import. What is not a layer wires them."""

WIRING = frozenset({"app", "commands", "settings"})
"""Rooms that may know every layer."""

SCREEN_LIBRARIES = frozenset({"textual", "rich", "plotext", "pygments", "markdown_it"})
SCREEN_PARTS = frozenset({"app", "themes", "screens", "widgets"})

LIBRARIES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(SCREEN_LIBRARIES, SCREEN_PARTS),
    "httpx": frozenset({"servers"}),
    "psutil": frozenset({"board"}),
    "sqlite3": frozenset({"store"}),
    "aiosqlite": frozenset({"store"}),
    "h11": frozenset({"sim"}),
}
"""Each library that has a place, and the parts of the package that are it."""

HEADLESS = tuple(module for module, _ in COMMANDS.values())


@dataclass(frozen=True)
class Import:
    """One import of one module: ``source`` line ``line`` knows ``target``."""

    source: str
    target: str
    line: int

    @property
    def part(self) -> str:
        """The part of the package that the importing module belongs to: ``core``, ``app``, ..."""
        return [*self.source.split("."), ""][1]

    def __str__(self) -> str:
        return f"{self.source} line {self.line} imports {self.target}"


def _modules() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(source: str, text: str, is_package: bool, known: Mapping[str, Path]) -> list[Import]:
    """Every import in a module's text; a name taken from a package may be a module of it."""
    found: list[Import] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.extend(Import(source, alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = source.split(".")[: len(source.split(".")) - node.level + is_package]
                base = ".".join([*above, *([base] if base else [])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.append(Import(source, whole if whole in known else base, node.lineno))
        elif _is_import_call(node):
            assert isinstance(node, ast.Call)
            (name, *_) = node.args
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                found.append(Import(source, name.value, node.lineno))
    return found


def _is_import_call(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not node.args:
        return False
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__")


@pytest.fixture(scope="module")
def imports() -> list[Import]:
    known = _modules()
    return [
        found
        for source, path in known.items()
        for found in imports_of(
            source, path.read_text(encoding="utf-8"), path.name == "__init__.py", known
        )
    ]


def _of_ours(imports: list[Import]) -> Iterator[tuple[Import, str]]:
    """Imports inside the package, with the part that is imported."""
    for one in imports:
        top, *below = one.target.split(".")
        if top == "tui" and below:
            yield one, below[0]


def test_layers_only_know_what_is_below_them(imports: list[Import]) -> None:
    wrong = [
        str(one)
        for one, part in _of_ours(imports)
        if one.part in LAYERS and part not in LAYERS[one.part] | {one.part}
    ]
    assert wrong == []


def test_every_folder_is_a_layer(imports: list[Import]) -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= LAYERS.keys() | WIRING
    assert {one.part for one in imports} >= folders - {"store"}


def test_the_app_is_known_to_nobody_but_the_start(imports: list[Import]) -> None:
    assert {one.part for one, part in _of_ours(imports) if part == "app"} <= {"app", "cli"}
    assert {one.part for one, part in _of_ours(imports) if part == "screens"} <= {"app", "screens"}
    assert {one.source for one, part in _of_ours(imports) if part == "cli"} <= {"tui.__main__"}


def test_each_library_stays_in_its_place(imports: list[Import]) -> None:
    wrong = [
        str(one)
        for one in imports
        if (places := LIBRARIES.get(one.target.split(".")[0])) and one.part not in places
    ]
    assert wrong == []


def test_the_core_knows_the_standard_library_only(imports: list[Import]) -> None:
    wrong = [
        str(one)
        for one in imports
        if one.part == "core"
        and (top := one.target.split(".")[0]) != "tui"
        and top not in sys.stdlib_module_names
    ]
    assert wrong == []


def test_no_command_without_a_screen_can_reach_the_screen(imports: list[Import]) -> None:
    """Along every import there is, also those inside functions."""
    below: dict[str, set[str]] = {}
    for one in imports:
        below.setdefault(one.source, set()).add(one.target)
    for command in HEADLESS:
        seen: set[str] = set()
        waiting = [command]
        while waiting:
            module = waiting.pop()
            if module in seen:
                continue
            seen.add(module)
            parents = module.split(".")
            waiting.extend(below.get(module, ()))
            waiting.extend(".".join(parents[:n]) for n in range(1, len(parents)))
        reached = {module.split(".")[0] for module in seen} & SCREEN_LIBRARIES
        assert not reached, f"{command} reaches {', '.join(sorted(reached))}"


def _loaded_by(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter has after that statement."""
    shown = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in shown.stdout.split()}


def test_the_command_line_itself_loads_no_library() -> None:
    before = _loaded_by("pass")
    loaded = _loaded_by("import tui.cli") - before - {"tui"} - set(sys.stdlib_module_names)
    assert loaded == set()


@pytest.mark.parametrize("module", HEADLESS)
def test_a_command_without_a_screen_loads_no_screen(module: str) -> None:
    if module not in _modules():
        pytest.skip(f"{module} is not there yet")
    assert not _loaded_by(f"import {module}") & SCREEN_LIBRARIES


def test_imports_are_found_wherever_they_are() -> None:
    text = (
        "import a.b\nfrom . import c\nfrom .d import e\nfrom ..f import g\n"
        "def h():\n    import i\n    importlib.import_module('j.k')\nfrom tui import core\n"
    )
    known = dict.fromkeys(["tui.core", "tui.core.c"], ROOT)
    found = {one.target for one in imports_of("tui.core.x", text, False, known)}
    assert found == {"a.b", "tui.core.c", "tui.core.d", "tui.f", "i", "j.k", "tui.core"}
    found = {one.target for one in imports_of("tui.core", "from .d import e", True, known)}
    assert found == {"tui.core.d"}
