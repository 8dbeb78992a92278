"""One simulated server for each dialect, for all edge cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.servers.edge_cases.asking import Board, Boards, boards
from tests.servers.edge_cases.table import PROPERTY


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boards]:
    with boards(tmp_path_factory.mktemp("edge")) as made:
        yield made


@pytest.fixture
def board(
    cell: tuple[int, str],
    servers: Boards,
    record_property: Callable[[str, object], None],
) -> Board:
    """The server of the cell that this test is about."""
    case, dialect = cell
    record_property(PROPERTY, f"{case} {dialect}")
    return servers[dialect]
