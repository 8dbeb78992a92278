"""All data of a lab run, for its reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.lab.model.judgement import Judgement, Opinion
from tui.lab.model.matrix import Matrix
from tui.lab.model.records import LabRun
from tui.lab.model.variant_figures import Agreement, VariantFigures


@dataclass(frozen=True, slots=True)
class LabResult:
    """``judged``: verdicts of a person. ``opinions``: ratings by a judge model."""

    run: LabRun
    matrix: Matrix
    figures: tuple[VariantFigures, ...]
    judged: Sequence[Judgement] = ()
    opinions: Sequence[Opinion] = ()
    agreement: Agreement | None = None
