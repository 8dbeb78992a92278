"""A fix whose every stage is prepared."""

from __future__ import annotations

from dataclasses import replace

from tui.core.board.finding import Finding
from tui.core.screen.board_fix import FixStage, FixView

GOVERNOR = "/sys/class/devfreq/dmc/governor"
ASKING = FixView(
    "asking",
    "keep the memory at its highest clock",
    "534 MHz of 2400 MHz, governor dmc_ondemand, while a model computes",
    (
        ("writes", f"{GOVERNOR}: dmc_ondemand -> performance"),
        ("undo", f"{GOVERNOR}: performance -> dmc_ondemand"),
    ),
    ("A reboot puts it back too.", "Then eight short answers are compared: about 20 s."),
)
RESULT = "2.10 to 3.20 tok/s (+52 %, 48 to 55)"


class PreparedFixes:
    """Goes where it is told to, and notes what it was asked."""

    def __init__(self, view: FixView = ASKING) -> None:
        self.shown = view
        self.asked: list[str] = []
        self.root_problem: str | None = None

    def open(self, finding: Finding | None) -> str | None:
        self.asked.append("open")
        return None

    def view(self) -> FixView:
        return self.shown

    def take_root(self) -> str | None:
        self.asked.append("take_root")
        return self.root_problem

    def confirm(self) -> None:
        self._goes("working", total=8, done=3, rates="before 2.10, after 3.20 3.21")

    def stop(self) -> None:
        self._goes("failed", result="The comparison was stopped; everything is as it was before.")

    def finish(self) -> None:
        self._goes("in force", result=RESULT, is_better=True, has_card=True)

    def undo(self) -> None:
        self._goes("undone", notes=(f"{GOVERNOR} is dmc_ondemand again.",))

    def write_card(self) -> str:
        self.asked.append("card")
        return "the card is in /somewhere/20260101-ddr-clock.md and .svg"

    def leave(self) -> None:
        self.asked.append("leave")

    def _goes(self, stage: FixStage, **changes: object) -> None:
        self.asked.append(stage)
        self.shown = replace(self.shown, stage=stage, **changes)  # type: ignore[arg-type]
