"""Rows of the requests of a result, and of one request that is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

from tui.bench.model.records import Check, Request
from tui.bench.model.screen import OpenedRequest
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.text.wrap import Wrapper
from tui.widgets.bench.facts import request_facts
from tui.widgets.bench.parts import folded, parts_row
from tui.widgets.bench.plan import STATE_ROLES
from tui.widgets.kit.grounds import on_ground
from tui.widgets.kit.rows import Row, fit, pad, row_width, spread

CHECK_ROLES = {"failed": "bad", "passed": "ok", "info": "soft", "not applicable": "dim"}
"""In the order in which they are shown."""
LABEL_CELLS, WIDE_LABEL_CELLS = 17, 32
TAINT_CELLS = 20
MARGIN = 2
WIDE = 100

# -- the list --------------------------------------------------------------------------------------


def request_rows(
    rows: Sequence[Request], width: int, glyphs: Glyphs, chosen: int | None = None
) -> list[Row]:
    """A heading, then every request with its numbers, checks, taints, and what went wrong."""
    tail = max((len(_taints(row)) for row in rows), default=0)
    tail = min(max(tail, 8 if width >= WIDE else 0), TAINT_CELLS)
    head = f"{'tok/s':>8}{'out':>6}{'checks':>8}  "
    out = [spread(((" requests", "strong"),), ((head, "dim"), (" " * tail, "dim")), width)]
    has_reps = any(row.rep for row in rows)
    for at, row in enumerate(rows):
        mark = glyphs.closed if at == chosen else " "
        out += _listed(row, width, mark, tail, has_rep=has_reps, is_chosen=at == chosen)
    return [fit(row, width) for row in out]


def _listed(
    row: Request, width: int, mark: str, tail_cells: int, *, has_rep: bool, is_chosen: bool
) -> list[Row]:
    name = f"{_name(row)} #{row.rep + 1}" if has_rep else _name(row)
    rate = "" if row.rate_tps is None else fmt.rate(row.rate_tps)
    rate = f"~{rate}" if row.is_rate_estimated else rate
    tokens = "" if row.tok.out is None else str(row.tok.out)
    passed = row.passed_checks
    checks = "" if passed is None else f"{passed[0]}/{passed[1]}"
    all_passed = passed is not None and passed[0] == passed[1]
    tail = _taints(row)
    right: Row = (
        (f"{rate:>8}", "text"),
        (f"{tokens:>6}", "soft"),
        (f"{checks:>8}", "ok" if all_passed else "warn"),
        (f"  {set_cell_size(tail, tail_cells)}", "warn"),
    )
    left: Row = (
        (f" {mark} ", "live"),
        (f"{set_cell_size(row.status_word, 13)} ", STATE_ROLES[row.outcome]),
        (name, "strong" if is_chosen else "text"),
    )
    indent = _indent(width)
    lines = _error_lines(row, width)
    line = spread(left, right, width)
    line = on_ground(line, "selected", width) if is_chosen else line
    return [line, *(((" " * indent + text, "dim"),) for text in lines)]


def _name(request: Request) -> str:
    return request.name or request.id


def _taints(request: Request) -> str:
    return ", ".join(request.taint).replace("_", " ")


def _indent(width: int) -> int:
    return 17 if width >= WIDE else 5


def _error_lines(row: Request, width: int) -> list[str]:
    return folded(row.error, width - _indent(width) - 1) if row.error else []


def chosen_rows(rows: Sequence[Request], width: int, at: int) -> tuple[int, int]:
    """(first row, number of rows) of the request at index ``at`` in :func:`request_rows`."""
    heights = [1 + len(_error_lines(row, width)) for row in rows[: at + 1]]
    return 1 + sum(heights[:-1]), heights[-1]


def request_at(rows: Sequence[Request], width: int, y: int) -> int | None:
    """The index of the request that row ``y`` of :func:`request_rows` belongs to."""
    end = 1
    for at, row in enumerate(rows):
        end += 1 + len(_error_lines(row, width))
        if 1 <= y < end:
            return at
    return None


# -- one request -----------------------------------------------------------------------------------


def request_title(shown: OpenedRequest, width: int) -> Row:
    """Which request it is, how it ended, and its place in the run."""
    request = shown.request
    right: Row = ((f"request {shown.number} of {shown.of} ", "dim"),)
    parts: list[tuple[int, Row]] = [
        (1, ((f" {_name(request)}", "strong"),)),
        (0, ((f"  {request.status_word}", STATE_ROLES[request.outcome]),)),
        (2, ((f"  repetition {request.rep + 1}", "soft"),)),
    ]
    if request.id != _name(request):
        parts.append((3, ((f"  {request.id}", "dim"),)))
    return spread(parts_row(parts, width - row_width(right) - 1), right, width)


def detail_rows(shown: OpenedRequest, width: int, glyphs: Glyphs) -> list[Row]:
    """What went wrong, failed checks, numbers, the other checks, then the texts."""
    request = shown.request
    by_outcome: dict[str, list[Check]] = {outcome: [] for outcome in CHECK_ROLES}
    for check in request.checks:
        by_outcome[check.outcome].append(check)
    failed, *rest = by_outcome.values()
    others = [check for checks in rest for check in checks]
    out: list[Row] = [*_trouble(request, width)]
    out += _checks("failed checks", failed, width)
    out += [((" figures", "strong"),), *_facts(request, width), ()]
    out += _checks("checks", others, width)
    label = "answer" if request.is_scored else "partial answer"
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


def _trouble(request: Request, width: int) -> Iterator[Row]:
    """Error, taints and warnings; nothing where all is well."""
    said = []
    if request.error:
        role = "bad" if request.outcome == "failed" else "warn"
        said.append((f"{request.status_word}: {request.error}", role))
    if request.taint:
        said.append((f"timing is doubtful (tainted): {_taints(request)}", "warn"))
    said += [(warning, "warn") for warning in request.warnings]
    for text, role in said:
        yield from (((f" {line}", role),) for line in folded(text, width - 2))
    if said:
        yield ()


def _facts(request: Request, width: int) -> Iterator[Row]:
    facts = list(request_facts(request))
    longest = max((cell_len(fact.label) for fact in facts), default=0)
    cells = min(longest + 2, WIDE_LABEL_CELLS if width >= WIDE else LABEL_CELLS)
    for fact in facts:
        for at, line in enumerate(folded(fact.value, width - cells - MARGIN)):
            label = set_cell_size(fact.label, cells - 1) if at == 0 else ""
            head: Row = ((" " * MARGIN + label, "dim"),)
            yield (*pad(head, cells + MARGIN), (line, fact.role))


def _checks(title: str, checks: Sequence[Check], width: int) -> list[Row]:
    if not checks:
        return []
    out: list[Row] = [((f" {title}", "strong"),)]
    for check in checks:
        role = CHECK_ROLES[check.outcome]
        outcome = f"{' ' * MARGIN}{check.outcome}  "
        out.append(((outcome, role), (check.id, "text")))
        if check.detail:
            indent = " " * (MARGIN + 2)
            out += [((indent + line, "soft"),) for line in folded(check.detail, width - 5)]
    return [*out, ()]


def _text(text: str, width: int, role: str) -> list[Row]:
    wrapper = Wrapper(max(1, width - 2 * MARGIN), cell_len)
    wrapper.feed(text)
    return [((" " * MARGIN, role), (wrapper.row(at), role)) for at in range(len(wrapper))]
