"""Rows of the requests of a result, and of one request that is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

from tui.bench.model.screen import CheckRow, PlanRow, RequestView
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.text.wrap import Wrapper
from tui.widgets.bench.parts import folded, parts_row
from tui.widgets.bench.run import STATE_ROLES
from tui.widgets.kit.rows import Row, fit, pad, row_width, spread

CHECK_ROLES = {"failed": "bad", "passed": "ok", "info": "soft", "not applicable": "dim"}
LABEL_CELLS, WIDE_LABEL_CELLS = 17, 32
MARGIN = 2
WIDE = 100

# -- the list --------------------------------------------------------------------------------------


def request_rows(
    rows: Sequence[PlanRow], width: int, glyphs: Glyphs, chosen: int | None = None
) -> list[Row]:
    """A heading, then every request with its numbers, checks, taints, and what went wrong."""
    head = f"{'tok/s':>8}{'out':>6}{'checks':>8}  "
    out = [spread(((" requests", "strong"),), ((head, "dim"), (" " * 20, "dim")), width)]
    has_reps = any(row.rep for row in rows)
    for at, row in enumerate(rows):
        mark = glyphs.closed if at == chosen else " "
        out += _listed(row, width, mark, has_rep=has_reps, is_chosen=at == chosen)
    return [fit(row, width) for row in out]


def _listed(row: PlanRow, width: int, mark: str, *, has_rep: bool, is_chosen: bool) -> list[Row]:
    name = f"{row.name} #{row.rep + 1}" if has_rep else row.name
    rate = "" if row.rate_tps is None else fmt.rate(row.rate_tps)
    rate = f"~{rate}" if rate and row.is_estimated else rate
    tokens = "" if row.tokens is None else str(row.tokens)
    checks = "" if row.checks is None else f"{row.checks[0]}/{row.checks[1]}"
    all_passed = row.checks is not None and row.checks[0] == row.checks[1]
    word = row.word.replace("_", " ")
    tail = ", ".join(row.taints).replace("_", " ")
    right: Row = (
        (f"{rate:>8}", "text"),
        (f"{tokens:>6}", "soft"),
        (f"{checks:>8}", "ok" if all_passed else "warn"),
        (f"  {set_cell_size(tail, 20)}", "warn"),
    )
    left: Row = (
        (mark, "live"),
        (f"{set_cell_size(word, 13)} ", STATE_ROLES.get(row.state, "soft")),
        (name, "strong" if is_chosen else "text"),
    )
    indent = _indent(width)
    lines = _error_lines(row, width)
    return [spread(left, right, width), *(((" " * indent + line, "dim"),) for line in lines)]


def _indent(width: int) -> int:
    return 15 if width >= WIDE else 3


def _error_lines(row: PlanRow, width: int) -> list[str]:
    return folded(row.error, width - _indent(width) - 1) if row.error else []


def chosen_rows(rows: Sequence[PlanRow], width: int, at: int) -> tuple[int, int]:
    """(first row, number of rows) of the request at index ``at`` in :func:`request_rows`."""
    heights = [1 + len(_error_lines(row, width)) for row in rows[: at + 1]]
    return 1 + sum(heights[:-1]), heights[-1]


def request_at(rows: Sequence[PlanRow], width: int, y: int) -> int | None:
    """The index of the request that row ``y`` of :func:`request_rows` belongs to."""
    end = 1
    for at, row in enumerate(rows):
        end += 1 + len(_error_lines(row, width))
        if 1 <= y < end:
            return at
    return None


# -- one request -----------------------------------------------------------------------------------


def request_title(shown: RequestView, width: int) -> Row:
    """Which request it is, how it ended, and its place in the run."""
    row = shown.row
    right: Row = ((f"request {shown.number} of {shown.of} ", "dim"),)
    role = STATE_ROLES.get(row.state, "soft")
    parts: list[tuple[int, Row]] = [
        (1, ((f" {row.name}", "strong"),)),
        (0, ((f"  {row.word.replace('_', ' ')}", role),)),
        (2, ((f"  repetition {row.rep + 1}", "soft"),)),
    ]
    if row.id != row.name:
        parts.append((3, ((f"  {row.id}", "dim"),)))
    return spread(parts_row(parts, width - row_width(right) - 1), right, width)


def detail_rows(shown: RequestView, width: int, glyphs: Glyphs) -> list[Row]:
    """What went wrong, failed checks, numbers, the other checks, then the texts."""
    failed = [check for check in shown.checks if check.outcome == "failed"]
    others = [check for check in shown.checks if check.outcome != "failed"]
    out: list[Row] = [*_trouble(shown, width)]
    out += _checks("failed checks", failed, width)
    out += [((" figures", "strong"),), *_facts(shown, width), ()]
    out += _checks("checks", others, width)
    label = "answer" if shown.row.state == "ok" else "partial answer"
    if not shown.text:
        out += [((f" {label}", "strong"),), ((" " * MARGIN + "no text was kept", "dim"),), ()]
    for title, text, role in (
        (label, shown.text, "text"),
        ("thinking", shown.thinking, "soft"),
        ("prompt", shown.prompt, "soft"),
    ):
        if text:
            out += [((f" {title}", "strong"),), *_text(text, width, role), ()]
    return [fit(row, width) for row in out]


def _trouble(shown: RequestView, width: int) -> Iterator[Row]:
    """Error, taints and warnings; nothing where all is well."""
    said = []
    if shown.row.error:
        role = "bad" if shown.row.state == "failed" else "warn"
        said.append((f"{shown.row.word.replace('_', ' ')}: {shown.row.error}", role))
    if shown.row.taints:
        names = ", ".join(shown.row.taints).replace("_", " ")
        said.append((f"timing is doubtful (tainted): {names}", "warn"))
    said += [(warning, "warn") for warning in shown.warnings]
    for text, role in said:
        yield from (((f" {line}", role),) for line in folded(text, width - 2))
    if said:
        yield ()


def _facts(shown: RequestView, width: int) -> Iterator[Row]:
    longest = max((cell_len(fact.label) for fact in shown.facts), default=0)
    cells = min(longest + 2, WIDE_LABEL_CELLS if width >= WIDE else LABEL_CELLS)
    for fact in shown.facts:
        for at, line in enumerate(folded(fact.value, width - cells - MARGIN)):
            label = set_cell_size(fact.label, cells - 1) if at == 0 else ""
            head: Row = ((" " * MARGIN + label, "dim"),)
            yield (*pad(head, cells + MARGIN), (line, fact.role))


def _checks(title: str, checks: Sequence[CheckRow], width: int) -> list[Row]:
    if not checks:
        return []
    out: list[Row] = [((f" {title}", "strong"),)]
    for check in checks:
        role = CHECK_ROLES[check.outcome]
        outcome = f"{' ' * MARGIN}{check.outcome}  "
        out.append(((outcome, role), (check.id, "text")))
        if check.reason:
            indent = " " * (MARGIN + 2)
            out += [((indent + line, "soft"),) for line in folded(check.reason, width - 5)]
    return [*out, ()]


def _text(text: str, width: int, role: str) -> list[Row]:
    wrapper = Wrapper(max(1, width - 2 * MARGIN), cell_len)
    wrapper.feed(text)
    return [((" " * MARGIN, role), (wrapper.row(at), role)) for at in range(len(wrapper))]
