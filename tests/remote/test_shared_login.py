"""Of those who use one login of ssh, the last one ends it, and nobody another's."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from tui.remote.shared_login import LoginUse


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_the_last_one_ends_it_whoever_made_it(order: tuple[int, ...], tmp_path: Path) -> None:
    uses = [LoginUse(tmp_path, makes=at == 0) for at in range(3)]
    assert [uses[at].leave() for at in order] == [False, False, True]
    assert [use.leave() for use in uses] == [False, False, False]


def test_a_login_of_somebody_else_is_never_ended(tmp_path: Path) -> None:
    use = LoginUse(tmp_path, makes=False)
    assert not use.leave()
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_locked_the_own_one_is_ended_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, what: int) -> None:
        raise OSError

    monkeypatch.setattr(fcntl, "flock", refuse)
    use = LoginUse(tmp_path, makes=True)
    assert [use.leave(), use.leave()] == [True, False]
    assert not LoginUse(tmp_path, makes=False).leave()
