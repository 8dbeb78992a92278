"""The palette's commands: every key in its group, and the best match on top."""

from __future__ import annotations

import pytest

from tui.core.screen.commands import Command, commands_of, find
from tui.core.screen.keys.chat import CHAT_KEYS, GLOBAL_KEYS, INTERRUPT
from tui.core.screen.keys.groups import COMMAND_GROUPS, FIELD_GROUP, OWN_GROUP
from tui.core.screen.keys.table import ACTIONS, SCOPES, default_keys

COMMANDS = commands_of(ACTIONS, default_keys())


def texts(query: str) -> list[str]:
    return [found.command.text for found in find(query, COMMANDS)]


def test_every_key_of_the_dashboard_is_in_one_group() -> None:
    grouped = [action_id for _, ids in COMMAND_GROUPS for action_id in ids]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {key.action_id for key in (*CHAT_KEYS, *GLOBAL_KEYS, INTERRUPT)}


def test_what_the_open_screen_does_comes_first_and_the_fields_keys_last() -> None:
    on_board = commands_of(SCOPES["the board"], default_keys())
    assert on_board[0].group == OWN_GROUP
    on_dashboard = commands_of(SCOPES["the transcript"], default_keys())
    groups = list(dict.fromkeys(command.group for command in on_dashboard))
    assert groups == [title for title, _ in COMMAND_GROUPS] + [FIELD_GROUP]


def test_without_words_all_are_there_in_their_order() -> None:
    assert [found.command for found in find("  ", COMMANDS)] == COMMANDS


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("stop answer", "stop the answer; its text is kept"),
        ("theme", "theme: dark, light, high contrast, your own"),
        ("F5", "the board: history, why slow, RAM"),
        ("ctrl+n", "new conversation"),
        ("LIGHT", "theme: dark, light, high contrast, your own"),
        ("tmprtr", "temperature, tokens, system prompt"),
    ],
)
def test_the_best_match_is_on_top(query: str, first: str) -> None:
    assert texts(query)[0] == first


def test_an_article_is_not_what_was_typed_for() -> None:
    found = texts("th")
    theme = found.index("theme: dark, light, high contrast, your own")
    assert theme < found.index("the previous branch") < len(found)
    assert texts("the previous")[0].startswith("the previous ")


def test_the_letters_that_were_asked_for_are_marked() -> None:
    command = Command("x", "copy the last code block", "Alt+Y", "conversation")

    def marked(query: str) -> str:
        (found,) = find(query, [command])
        return "".join(c if at in found.matched else "." for at, c in enumerate(command.text))

    assert marked("code co") == "co............code......"
    assert marked("alt+y") == "." * len(command.text)
    assert marked("lock") == "....................lock"
    assert marked("cpck") == "c.p...........c........k"


def test_what_nothing_has_finds_nothing() -> None:
    assert texts("zzzz") == []
