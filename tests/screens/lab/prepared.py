"""A lab that is prepared: two sets, a run with every state of a cell, pairs to judge."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tests.bench.made import request, trace
from tui.bench.model.records import Check, Status
from tui.core.types import GenerationSettings
from tui.lab.figures import figures_of
from tui.lab.judging import pairs_of, queue
from tui.lab.model.judgement import Judgement, Pair
from tui.lab.model.matrix import LabAnswer, Matrix, MatrixColumn, MatrixRow
from tui.lab.model.screen import LabView, OpenLab, RunRow, SetRow

PLAIN = "The board reads every weight of the model once for each token, so it is *slow*."
TERSE = "It reads every weight once for each token."


def answered(
    text: str,
    *,
    passed: tuple[bool, ...] = (True, True),
    status: Status = "ok",
    error: str | None = None,
    tokens: int = 64,
    tps: float = 3.13,
) -> LabAnswer:
    """An answer that is over."""
    made = request(status=status, made=trace(tokens=tokens, tps=tps))
    checks = tuple(
        Check(id=name, passed=ok, detail="as asked" if ok else "21 words, 0 to 9 asked")
        for name, ok in zip(("words", "json_strict"), passed, strict=False)
    )
    made = msgspec.structs.replace(made, checks=checks, error=error)
    return LabAnswer(
        0,
        made.outcome,
        text=text,
        tokens=tokens,
        rate_tps=tps,
        ttft_ms=1250.0,
        latency_ms=21_500.0,
        prompt="Why is it slow? Say it in at most nine words.",
        request=made,
    )


RUNNING = LabAnswer(
    0, "running", text="Each new token reads every", tokens=12, rate_tps=3.1, ttft_ms=1210.0
)
MATRIX = Matrix(
    rows=tuple(MatrixRow(name, name.split("/")[0], name.split("/")[1]) for name in (
        "why/memory", "why/heat", "json/fan", "json/governor",
    )),
    columns=(
        MatrixColumn("plain", "temperature 0.6"),
        MatrixColumn("terse", "temperature 0.6, own system prompt"),
        MatrixColumn("cold", "temperature 0", is_greedy=True),
    ),
    cells={
        ("why/memory", "plain"): (answered(PLAIN, passed=(False, True)),),
        ("why/memory", "terse"): (answered(TERSE, tokens=9, tps=3.2),),
        ("why/memory", "cold"): (answered(TERSE + " Really.", tokens=11),),
        ("why/heat", "plain"): (answered("Heat is no problem.", tokens=5),),
        ("why/heat", "terse"): (
            answered(
                "",
                status="timeout_idle",
                error="no token within the time limit between two tokens",
            ),
        ),
        ("json/fan", "terse"): (answered('{"name": "fan"}', tokens=7),),
        ("json/fan", "plain"): (RUNNING,),
    },
)  # fmt: skip
OPEN = OpenLab(
    run_id="20260101T120000Z-why-ab12",
    title="Why is it slow",
    matrix=MATRIX,
    figures=figures_of(MATRIX),
    is_running=True,
    is_simulated=True,
    left_s=95.0,
    serial=1,
)
VIEW = LabView(
    sets=(
        SetRow("why", "Why is it slow", 4, 3),
        SetRow("broken", problem='broken.toml line 3: repeats is 0; it takes a whole number'),
    ),
    runs=(
        RunRow(OPEN.run_id, "why", "2026-01-01T12:00:00Z", "running", 6, 12, True),
        RunRow("20251231T090000Z-why-00aa", "why", "2025-12-31T09:00:00Z", "complete", 12, 12,
               False),
    ),
    has_looked=True,
)  # fmt: skip


class PreparedLab:
    """Answers at once; ``told`` has every word, ``kept`` every verdict, ``texts`` what is saved."""

    def __init__(self, shown: OpenLab = OPEN, refusal: str | None = None) -> None:
        self.shown = shown
        self.refusal = refusal
        self.told: list[str] = []
        self.kept: list[Judgement] = []
        self.texts = {"why": "[[prompt]]\ntext = 'x'\n"}

    def look(self) -> LabView:
        return VIEW

    def expected_words(self, name: str) -> str:
        return "12 requests, ~4 min 10 s (2 min 05 s to 7 min 00 s)"

    def start(self, name: str) -> str | None:
        self.told.append(f"start {name}")
        return self.refusal

    def resume(self, run_id: str) -> str | None:
        self.told.append(f"resume {run_id}")
        return self.refusal

    def open(self, run_id: str) -> str | None:
        self.told.append(f"open {run_id}")
        return None

    def poll(self) -> OpenLab | None:
        return self.shown

    def why_not_begun(self) -> str | None:
        return None

    def tell(self, word: str) -> str:
        self.told.append(word)
        return f"told {word}"

    def export(self, run_id: str) -> str:
        return f"report.md is in {run_id}"

    def text_of(self, name: str) -> str:
        return self.texts.get(name, "")

    def problems_in(self, name: str, text: str) -> tuple[str, ...]:
        return () if "prompt" in text else (f"{name}.toml: the set has no prompt.",)

    def save(self, name: str, text: str) -> str | None:
        self.texts[name] = text
        return None

    def path_of(self, name: str) -> str:
        return f"/nowhere/{name}.toml"

    def new_set(self) -> str:
        return "set-1"

    def set_of(self, prompt: str, settings: GenerationSettings) -> str:
        self.told.append(f"set of {prompt} at {settings.temperature}")
        return "why"

    def pairs(self, run_id: str) -> tuple[Sequence[Pair], int]:
        return queue(pairs_of(self.shown.matrix), self.kept, 1, seed=1), 1

    def keep(self, run_id: str, judgement: Judgement) -> str | None:
        self.kept.append(judgement)
        return None

    def settings_of(self, variant: str, row: str) -> GenerationSettings | None:
        return GenerationSettings(temperature=0.25, system_prompt=f"as {variant}")
