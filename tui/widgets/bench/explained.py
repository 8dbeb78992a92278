"""Explains the figures of a run: the median, the number of values, the formula."""

from __future__ import annotations

from collections.abc import Mapping

from tui.bench.model.metrics import metric
from tui.bench.model.records import Summary
from tui.core.screen.explanations import Explanation
from tui.core.screen.glossary import GLOSSARY
from tui.core.text import format as fmt
from tui.widgets.bench.statistics import shown_figures

_TERMS = ("MAD", "CI95", "MDC")
_EITHER = ("decode_tps_rt", "decode_tps_cl")
"""What the rate of an answer is by: the runtime where it tells, else npulse."""
_SYMBOLS = (
    "t0: request written, t1: first token, tN: last token, te: end; N tokens of the answer, P of "
    "the prompt; Tp and Tg: the runtime's times of prefill and of generation, Ng its count"
)


def run_figures(summary: Mapping[str, Summary]) -> list[Explanation]:
    """The metrics of the table of statistics, then the words of its columns."""
    found = []
    for known, one in shown_figures(summary):
        value = fmt.UNKNOWN if one.median is None else f"{one.median:.6g} {known.unit}"
        source = f"median of {one.n} value{'' if one.n == 1 else 's'}"
        source += f", {one.source}" if one.source else ""
        formula = known.formula
        if known.id == "decode_tps":
            formula = ", or ".join(metric(one_of).formula for one_of in _EITHER)
        found.append(Explanation(known.short_label, value, source, formula))
    words = dict(GLOSSARY)
    found += [Explanation(term, "", "", words[term]) for term in _TERMS]
    return [*found, Explanation("symbols", "", "", _SYMBOLS)]
