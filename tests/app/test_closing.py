"""What the start leaves for later may come when the screens are closed already."""

from __future__ import annotations

from pathlib import Path

from tests.app.prepared_app import PreparedApp, appearance


async def test_the_rest_of_the_start_after_the_end(tmp_path: Path) -> None:
    app = PreparedApp(appearance(tmp_path))
    async with app.run_test() as pilot:
        await pilot.pause()
    assert not app.screen_stack
    app._start()
    await app._read_latest()
