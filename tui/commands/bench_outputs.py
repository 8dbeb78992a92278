"""Writes reports to files, or to stdout where the file is ``-``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tui.bench.model.comparison import Comparison
from tui.bench.report.render import makers
from tui.bench.store.run_files import Loaded
from tui.bench.store.runs import RunError
from tui.commands.stdout_paper import stdout_paper
from tui.core.text.printed_markdown import printed_markdown
from tui.core.text.sanitize import clean
from tui.files.private import write_whole


def write_outputs(
    options: argparse.Namespace, loaded: Loaded, comparison: Comparison | None = None
) -> int:
    """Writes every requested format; returns how many. Raises RunError."""
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
        paper = stdout_paper()
        if paper.has_colours and data.startswith(b"#"):
            data = printed_markdown(data.decode("utf-8", "replace"), paper).encode()
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        write_whole(Path(target), data)
    except OSError as error:
        shown = clean(target, newlines=False)
        raise RunError(f"cannot write {shown}: {error.strerror or 'unknown'}") from None
