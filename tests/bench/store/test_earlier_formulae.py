"""A run of the earlier formula set: chunk counts are estimates, and it compares with new runs."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.bench.made import profile
from tui.bench.analysis.compare import compare
from tui.bench.model.records import Document
from tui.bench.store import history
from tui.bench.store.document import load
from tui.bench.store.earlier_formulae import relabelled
from tui.bench.store.run_files import Loaded, save


def before(seed: int) -> Document:
    """As it was written then: a count of chunks was the client's, its rate measured."""
    made = profile(seed)
    run = msgspec.structs.replace(made.run, formula_set="2025.1")
    return msgspec.structs.replace(made, run=run)


def test_its_rates_are_estimates_with_the_same_values() -> None:
    old = before(1)
    found = relabelled(old)
    assert {request.tok.source for request in found.requests} == {"estimated"}
    assert all(request.is_rate_estimated for request in found.requests)
    assert [r.rate_tps for r in found.requests] == [r.rate_tps for r in old.requests]
    assert found.summary["decode_tps"].source == "estimated"
    assert found.summary["decode_tps"].median == old.summary["decode_tps"].median
    assert found.totals["run_decode_tps"].source == "estimated"
    assert relabelled(profile(1)) == profile(1)


def test_it_compares_with_a_run_that_says_so_itself() -> None:
    now = relabelled(before(2))
    new = msgspec.structs.replace(now, run=msgspec.structs.replace(now.run, formula_set="2026.1"))
    row = compare(relabelled(before(1)), new).row("decode_tps")
    assert row is not None
    assert row.is_estimated == (True, True)


def test_a_list_of_runs_marks_it(tmp_path: Path) -> None:
    old = before(1)
    folder = tmp_path / old.run.id
    folder.mkdir()
    save(Loaded(old), folder)
    (past,) = history.entries(tmp_path)
    assert past.is_rate_estimated
    assert load(folder).document.summary["decode_tps"].source == "estimated"
