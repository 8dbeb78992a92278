"""The screen of the clients: with a tap and without one, in small and large terminals."""

from __future__ import annotations

import pytest

from tests.screens.clients.prepared import NOW_MS, TAPPED, UNTAPPED, PreparedClients
from tests.screens.opened import Opened
from tests.widgets.rows_text import rows_text
from tui.core.screen.headline import Headline
from tui.core.text.glyphs import ASCII, UNICODE
from tui.history.clients_view import ClientsView
from tui.screens.clients import ClientsPanel, ClientsScreen
from tui.widgets.clients.rows import clients_rows
from tui.widgets.kit.rows import row_width

SIZES = [(80, 21), (120, 37), (200, 47)]


def drawn(view: ClientsView, size: tuple[int, int], chosen: int = 0) -> str:
    rows = clients_rows(view, chosen, size, NOW_MS, UNICODE)
    assert len(rows) <= size[1]
    assert max(map(row_width, rows)) <= size[0]
    return rows_text(rows)


@pytest.mark.parametrize("size", SIZES)
def test_with_a_tap_it_tells_who_is_answered_and_who_was(size: tuple[int, int]) -> None:
    shown = drawn(TAPPED, size)
    assert "nightly.py        answering      14 s  ~31 tokens  ~3.13 tok/s" in shown
    assert "queued" in shown
    assert "~decode  /proc/rknpu/load: 86/84/61 %" in shown
    assert "nightly.py (pid 8123)  127.0.0.1:53420" in shown
    assert "24 hours" in shown
    assert "41 requests" in shown
    assert shown.count("complete\n") >= 3
    assert "client gone" in shown
    if size[0] >= 120:
        assert "prefill ~5.21 s at 79 tok/s, gaps p50/p99 318/341 ms, by the kernel clock" in shown


@pytest.mark.parametrize("size", SIZES)
def test_without_a_tap_each_thing_that_is_known_says_whence(size: tuple[int, int]) -> None:
    shown = drawn(UNTAPPED, size)
    assert "No tap is running" in shown
    assert "192.168.178.31  /proc/net/tcp" in shown
    assert "this npulse" in shown
    assert "slots in use 1 of 4  /slots" in shown
    assert "tokens so far 120394  /metrics" in shown


def test_the_chosen_request_tells_more_and_stays_in_view() -> None:
    shown = drawn(TAPPED, (120, 37), chosen=1)
    assert "RockchipLlama continues such an answer to its end." in shown
    far = drawn(TAPPED, (80, 21), chosen=62)
    assert UNICODE.closed in far


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (ClientsView(), "No tap is running"),
        (ClientsView(tap_pid=7), "no request for an answer has come through the tap yet"),
        (ClientsView(problem="the history is damaged"), "the history is damaged"),
        (ClientsView(server="x at 10.0.0.2"), "another machine"),
        (ClientsView(server="x :1", connections=()), "nobody is connected"),
    ],
)
def test_what_is_missing_is_said(view: ClientsView, words: str) -> None:
    assert words in drawn(view, (80, 21))


async def test_keys_choose_and_a_new_request_moves_nothing() -> None:
    clients = PreparedClients()
    app = Opened(lambda: ClientsScreen(clients, Headline, ASCII))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, ClientsScreen)
        await screen.look()
        await pilot.press("down", "j")
        assert screen.view.newest[screen.chosen].status == "refused"
        clients.view = ClientsView(newest=(TAPPED.newest[10], *TAPPED.newest), tap_pid=1)
        await screen.look()
        assert screen.view.newest[screen.chosen].status == "refused"
        assert "refused the request" in rows_text(list(screen.query_one(ClientsPanel)._rows))
        await pilot.press("home")
        assert screen.chosen == 0
        await pilot.press("pagedown")
        assert screen.chosen > 10
        await pilot.press("escape")
        assert app.screen is not screen
