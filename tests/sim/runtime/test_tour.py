"""The first answers of the demo are whole, and each is given once."""

from __future__ import annotations

import pytest

from tui.sim.runtime.tokens import pieces
from tui.sim.runtime.tour import SLOW, USUAL, Tour


@pytest.mark.parametrize(("is_slow", "texts"), [(True, SLOW), (False, USUAL)])
def test_each_is_given_once_and_never_cut(is_slow: bool, texts: tuple[str, ...]) -> None:
    tour = Tour()
    assert tour.next_text(is_slow=is_slow, max_tokens=16) is None
    given = [tour.next_text(is_slow=is_slow, max_tokens=2048) for _ in texts]
    assert given == list(texts)
    assert tour.next_text(is_slow=is_slow, max_tokens=2048) is None
    # At 1.4 tok/s less than a minute.
    assert all(len(list(pieces(text))) < 80 for text in texts)
