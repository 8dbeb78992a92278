"""Reports into files, or onto stdout where the file is ``-``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from tui.bench import records
from tui.bench.compare import Comparison
from tui.bench.document import Loaded
from tui.bench.report import render, rows
from tui.bench.runs import RunError, write_whole
from tui.core.text.sanitize import clean


def makers(
    compat: str | None = None, comparison: Comparison | None = None
) -> dict[str, Callable[[Loaded], bytes]]:
    """Form -> what makes its bytes."""

    def markdown(loaded: Loaded) -> bytes:
        text = render.as_markdown(loaded, compat=compat, comparison=comparison)
        return text.encode("utf-8", "replace")

    def html(loaded: Loaded) -> bytes:
        text = render.as_html(loaded, compat=compat, comparison=comparison)
        return text.encode("utf-8", "replace")

    return {
        "json": lambda loaded: records.encode(loaded.document),
        "md": markdown,
        "html": html,
        "csv": lambda loaded: rows.as_csv(loaded).encode("utf-8", "replace"),
    }


def write_outputs(
    options: argparse.Namespace, loaded: Loaded, comparison: Comparison | None = None
) -> int:
    """Writes every form that was asked for; how many there were. Raises RunError."""
    compat = getattr(options, "compat", None)
    made = 0
    for form, make in makers(compat, comparison).items():
        target = getattr(options, form, None)
        if target:
            write(target, make(loaded))
            made += 1
    return made


def write(target: str, data: bytes) -> None:
    """To a file, or to stdout for ``-``. Raises RunError with one sentence."""
    if target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        write_whole(Path(target), data)
    except OSError as error:
        shown = clean(target, newlines=False)
        raise RunError(f"cannot write {shown}: {error.strerror or 'unknown'}") from None
