"""Published test data, read from the packages that carry it; nothing of it is kept here."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def grapheme_clusters() -> list[list[str]]:
    """Each line of Unicode's GraphemeBreakTest.txt as its clusters."""
    path = _found(
        "GRAPHEME_BREAK_TEST",
        "/usr/share/unicode/auxiliary/GraphemeBreakTest.txt",
        "the Debian package unicode-data",
    )
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return [
        [
            "".join(chr(int(code, 16)) for code in re.findall(r"[0-9A-F]{4,6}", cluster))
            for cluster in line.strip("÷ ").split("÷")
        ]
        for line in lines
        if line
    ]


def commonmark_examples() -> list[tuple[str, str]]:
    """The Markdown of each example of the CommonMark specification, and its HTML."""
    path = _found(
        "COMMONMARK_SPEC",
        str(ROOT / ".venv/node/node_modules/commonmark-spec/spec.txt"),
        "the npm package commonmark-spec",
    )
    fence = "`" * 32
    example = re.compile(rf"^{fence} example\n(.*?)^\.\n(.*?)^{fence}$", re.MULTILINE | re.DOTALL)
    found = example.findall(path.read_text("utf-8"))
    return [(source.replace("→", "\t"), page.replace("→", "\t")) for source, page in found]


def _found(variable: str, usual: str, package: str) -> Path:
    path = Path(os.environ.get(variable, usual))
    if not path.is_file():
        pytest.skip(f"{path} is not there: {package} has it, or ${variable} names it")
    return path
