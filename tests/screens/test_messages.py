"""What the bottom line says of a prompt that was refused, and how long that is true."""

from __future__ import annotations

from collections.abc import Callable

from textual.pilot import Pilot

from tests.screens.board.prepared import prepared
from tests.screens.opened import Opened
from tests.screens.prepared_chat import PreparedBackend, PreparedChat
from tests.servers.requests import new_turn
from tests.widgets.rows_text import row_text
from tui.core.screen.headline import Headline
from tui.core.screen.keys.table import default_keys
from tui.core.text.glyphs import UNICODE
from tui.screens.dashboard import Dashboard
from tui.widgets.chat.message_line import MessageBar

NO_SERVER = "no server answers yet; your prompt stays here"
ELSEWHERE = "an answer runs in npulse (pid 7); your prompt stays here until it ends"


class RefusingChat(PreparedChat):
    """Refuses every prompt; ``is_answering`` as it is told."""

    def __init__(self, refusal: str, is_answering: bool) -> None:
        super().__init__(0)
        self._refusal, self._is_answering = refusal, is_answering

    @property
    def is_answering(self) -> bool:
        return self._is_answering

    def ask(self, prompt: str) -> str | None:
        return self._refusal


def refusing(refusal: str, *, is_answering: bool) -> Opened:
    backend = PreparedBackend(prepared(), Headline(server_state="ready"))
    backend.chat = RefusingChat(refusal, is_answering)
    return Opened(lambda: Dashboard(backend, UNICODE, default_keys(), lambda text, what: ""))


def bottom_line(pilot: Pilot[None]) -> str:
    (row,) = pilot.app.screen.query_one(MessageBar).build(100)
    return row_text(row)


async def refused(pilot: Pilot[None], said: str, then: Callable[[Dashboard], object]) -> str:
    """The bottom line after a refusal and what came then."""
    await pilot.pause()
    await pilot.press(*"hello", "enter")
    await pilot.pause()
    assert said in bottom_line(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, Dashboard)
    then(screen)
    await pilot.pause()
    return bottom_line(pilot)


async def test_a_server_that_gets_ready_takes_back_that_there_is_none() -> None:
    async with refusing(NO_SERVER, is_answering=False).run_test(size=(100, 30)) as pilot:
        assert NO_SERVER not in await refused(pilot, NO_SERVER, Dashboard.show_server)


async def test_a_server_that_gets_ready_does_not_take_back_that_an_answer_runs() -> None:
    async with refusing(ELSEWHERE, is_answering=True).run_test(size=(100, 30)) as pilot:
        assert ELSEWHERE in await refused(pilot, ELSEWHERE, Dashboard.show_server)


async def test_the_end_of_the_answer_takes_that_back() -> None:
    app = refusing(ELSEWHERE, is_answering=True)

    def ended(screen: Dashboard) -> None:
        screen._backend.chat._is_answering = False  # type: ignore[attr-defined]
        screen._answer_ended(new_turn())

    async with app.run_test(size=(100, 30)) as pilot:
        assert ELSEWHERE not in await refused(pilot, ELSEWHERE, ended)
