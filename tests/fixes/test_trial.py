"""The sentence of a comparison, and a trial whose server fails."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.sim.simulator import running
from tui.bench.analysis.compare import compare_values
from tui.bench.model.options import Options
from tui.bench.model.records import Request, Tokens
from tui.bench.store.controls import Controls
from tui.bench.store.folder import default_folder
from tui.core.board.fix import FileWrite, Fix
from tui.fixes import trial
from tui.fixes.applying import Applied
from tui.fixes.change import BoardPlace
from tui.fixes.session import fix_and_compare, server_of_board
from tui.fixes.trial import Trial, TrialAnswer
from tui.fixes.writers import DirectWriter
from tui.settings.board_changes import BoardChanges

DDR = "/sys/class/devfreq/dmc/governor"
FIX = Fix("ddr-clock", "keep it high", (FileWrite(DDR, "performance"),), measured_by="decode_tps")


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ([2.1, 2.05, 2.15, 2.1], [3.2, 3.2, 3.25, 3.15], "2.10 to 3.20 tok/s (+52 %, 50 to 55)"),
        ([3.2, 3.2, 3.25, 3.15], [2.1, 2.05, 2.15, 2.1], "3.20 to 2.10 tok/s (-34 %, -36 to -33)"),
        ([3.2, 3.0, 3.3, 3.1], [3.1, 3.2, 3.0, 3.3], "no detectable difference"),
        ([3.0, 3.0, 3.001, 3.0], [3.03, 3.03, 3.031, 3.03], "too small to be relevant"),
        ([3.0], [4.0], "no detectable difference"),
    ],
)
def test_sentences(before: list[float], after: list[float], sentence: str) -> None:
    assert sentence in Trial(compare_values("decode_tps", before, after)).sentence()


def test_the_smallest_visible_difference_is_told() -> None:
    row = compare_values("decode_tps", [3.2, 3.0, 3.3, 3.1], [3.1, 3.2, 3.0, 3.3])
    assert row.mdc_pct is not None
    assert f"(smallest detectable {row.mdc_pct:.0f} %)" in Trial(row).sentence()
    # What is just above the threshold is found in half of the trials only.
    quiet = compare_values("decode_tps", [3.0, 3.04, 2.96, 3.0], [3.0, 2.96, 3.04, 3.0])
    assert quiet.mdc_pct is not None
    assert quiet.mdc_pct < 3
    assert Trial(quiet).sentence() == "no detectable difference (smallest detectable 4 %)"
    # Below what matters nothing is called visible.
    flat = Trial(compare_values("decode_tps", [3.0] * 4, [3.0] * 4))
    assert flat.sentence() == "no detectable difference (smallest detectable 3 %)"
    assert not flat.is_better


@pytest.mark.parametrize(
    ("stamps_ms", "rate_tps"),
    [
        ((0, 100, 200, 300, 400), 10.0),
        ((100, 100, 200, 300, 400), 10.0),  # the first two in one read
        ((0, 100, 200, 400, 400), 10.0),
        ((0, 0, 0, 0, 0), None),
    ],
)
def test_chunks_that_came_with_the_first_one_are_no_part_of_a_rate(
    stamps_ms: tuple[int, ...], rate_tps: float | None
) -> None:
    request = Request(
        id="a", rep=0, order=0, status="ok", tok=Tokens(out=5, chunks=5, cap=5, source="client")
    )
    stamps_ns = [ms * 1_000_000 for ms in stamps_ms]
    assert TrialAnswer(request, stamps_ns).short_decode_tps == rate_tps
    # Five tokens in three chunks have no times of their own.
    other = replace(request, tok=Tokens(out=5, chunks=3, cap=5, source="client"))
    assert TrialAnswer(other, stamps_ns[:3]).short_decode_tps is None


@pytest.mark.parametrize("fault", ["json-error", "cut=2"])
async def test_a_server_that_fails_is_no_reason_for_a_figure(
    fault: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It is done, as it was asked for, and told as not measured."""
    folder = tmp_path_factory.mktemp("trial")
    with running("--fault", fault, "--speed", "40", has_root=True) as simulator:
        assert simulator.root is not None
        place, memory = BoardPlace(simulator.root), BoardChanges(folder)
        options = Options(folder=default_folder(), urls=(simulator.url,))
        connected = await server_of_board(options, place)
        assert not isinstance(connected, str)
        applied = Applied(FIX, place, DirectWriter(place), memory)
        result = await fix_and_compare(applied, connected, place, controls=Controls())
        await connected.client.aclose()
        assert result.trial is None
        assert "The comparison ended early: " in result.unmeasured
        assert place.read(DDR) == "performance"
        applied.undo()
        assert place.read(DDR) == "dmc_ondemand"


@pytest.mark.slow
async def test_stopped_it_is_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "TRIAL_S", 1.0)
    folder = tmp_path_factory.mktemp("trial")
    with running("--speed", "20", has_root=True) as simulator:
        assert simulator.root is not None
        place, memory = BoardPlace(simulator.root), BoardChanges(folder)
        options = Options(folder=default_folder(), urls=(simulator.url,))
        connected = await server_of_board(options, place)
        assert not isinstance(connected, str)
        applied = Applied(FIX, place, DirectWriter(place), memory)
        controls = Controls()
        result = await fix_and_compare(
            applied, connected, place, controls=controls, on_progress=lambda _: controls.abort()
        )
        await connected.client.aclose()
        assert "everything is as it was before" in result.error
        assert place.read(DDR) == "dmc_ondemand"
        assert memory.changes() == ()
