"""Doctor on a board whose files are wrong in several places: thirty trees a run, for time."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.board import tree_files, trees
from tui.board.advice.access import load_rungs
from tui.board.advice.board_checks import board_checks
from tui.board.advice.diagnosis import Work, why_slow
from tui.board.readers.files import Files
from tui.board.sampler import Sampler
from tui.commands.doctor import as_json, as_text
from tui.core.board.reading import Snapshot

BASES = (trees.idle(), trees.mistuned(), trees.hot(), trees.mainline(), trees.single_core())
NUMBERS = st.sampled_from([b"", b"0\n", b"-1\n", b"9" * 400, b"nan\n", b"1e308\n", b"-650788984\n"])
CONTENT = st.one_of(st.none(), NUMBERS, st.binary(max_size=60))


@st.composite
def fuzzed(draw: st.DrawFn) -> Mapping[str, tree_files.Content]:
    """A board of the kinds above with up to forty files changed; None leaves a file away."""
    base = draw(st.sampled_from(BASES))
    paths = draw(st.lists(st.sampled_from(sorted(base)), max_size=40, unique=True))
    made = dict(base)
    for path in paths:
        content = draw(CONTENT)
        if content is None:
            del made[path]
        else:
            made[path] = content
    return made


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(fuzzed())
def test_no_tree_makes_the_examination_fail(tree: Mapping[str, tree_files.Content]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = tree_files.write(tree, Path(folder))
        sampler, files = Sampler(root), Files(root)
        try:
            snapshot: Snapshot = sampler.sample()
            rungs = load_rungs(files, time.time())
            checks = board_checks(snapshot, rungs, why_slow(snapshot, Work()))
        finally:
            files.close()
            sampler.close()
    assert as_json(snapshot, rungs, checks)["checks"]
    assert "npulse doctor" in as_text(snapshot, rungs, checks)
    for check in checks:
        assert check.command is None or check.command.startswith(("sudo ", "echo ", "npulse "))
