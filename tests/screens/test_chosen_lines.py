"""The chosen line of the lists stands on a ground and has its sign; the next one costs two rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.screens.bench.prepared_results import REQUESTS
from tests.screens.clients.prepared import NOW_MS, TAPPED
from tests.screens.fleet.prepared import BOARDS
from tests.screens.lab.prepared import OPEN
from tui.core.text.glyphs import UNICODE
from tui.widgets.bench.request import request_rows
from tui.widgets.clients.rows import clients_rows
from tui.widgets.fleet.rows import fleet_rows
from tui.widgets.kit.rows import Row, row_width
from tui.widgets.lab.matrix import MatrixPlace, matrix_rows

WIDTH, HEIGHT = 120, 30
LISTS: dict[str, Callable[[int], Sequence[Row]]] = {
    "fleet": lambda at: fleet_rows(BOARDS, at, (WIDTH, HEIGHT), UNICODE),
    "clients": lambda at: clients_rows(TAPPED, at, (WIDTH, HEIGHT), NOW_MS, UNICODE),
    "requests": lambda at: request_rows(REQUESTS, WIDTH, UNICODE, at),
    "matrix": lambda at: matrix_rows(OPEN, MatrixPlace(row=at), WIDTH, HEIGHT, UNICODE),
}
BELOW = {"fleet": 3, "clients": 2}
"""Rows in which more is told of the chosen line."""


def is_chosen(row: Row) -> bool:
    return bool(row) and all(role.endswith("/selected") for _, role in row)


@pytest.mark.parametrize("name", LISTS)
def test_the_chosen_line_stands_on_a_ground_from_edge_to_edge(name: str) -> None:
    before, after = LISTS[name](0), LISTS[name](1)
    for rows in (before, after):
        (chosen,) = filter(is_chosen, rows)
        assert row_width(chosen) == WIDTH
        assert "".join(text for text, _ in chosen).lstrip().startswith(UNICODE.closed)
    changed = [one for one, other in zip(before, after, strict=True) if one != other]
    assert sum("/selected" in row[0][1] for row in changed) == 1
    assert 2 <= len(changed) <= 2 + BELOW.get(name, 0)
