"""The keys of the board screen: bound anew in [keys], the bottom line and the screen follow."""

from __future__ import annotations

from tests.screens.board.prepared import prepared
from tests.screens.board.shown import Shown
from tests.screens.snapshot import picture
from tui.core.screen.keys.table import default_keys


async def test_a_key_bound_anew_works_and_is_shown_and_the_old_one_does_nothing() -> None:
    app = Shown(prepared("whole"))
    app.set_keymap({**default_keys(), "board.readings": "z,f8"})
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert " z readings" in picture(app.screen)
        await pilot.press("r")
        assert not app.screen.has_class("-readings")
        await pilot.press("z")
        assert app.screen.has_class("-readings")
        await pilot.press("f8")
        assert not app.screen.has_class("-readings")
