"""Which part of a keymap has to be applied at all."""

from __future__ import annotations

import pytest

from tui.core.screen.key_names import canonical_keys
from tui.core.screen.keymap import rebound
from tui.core.screen.keys.table import default_keys


def test_keys_as_they_come_need_nothing() -> None:
    assert rebound(default_keys()) == {}


def test_the_keys_of_the_table_are_in_the_one_way_of_writing() -> None:
    """They are taken from config.toml without a check."""
    for keys in default_keys().values():
        assert canonical_keys(keys) == keys


@pytest.mark.parametrize(
    ("changed", "touched"),
    [
        ({"help": "f12"}, {}),
        # A key that another action has: both must be known, so that neither is lost.
        ({"help": "ctrl+r"}, {"regenerate": "ctrl+r"}),
        ({"bench.pause": "x,f11"}, {"bench.stop": "x", "lab.stop": "x"}),
        ({"board": "f6", "settings": "f5"}, {}),
    ],
)
def test_what_is_bound_anew_and_what_that_touches(
    changed: dict[str, str], touched: dict[str, str]
) -> None:
    assert rebound({**default_keys(), **changed}) == {**changed, **touched}
