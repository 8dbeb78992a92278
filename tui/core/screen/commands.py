"""The commands of the palette: what works now, grouped by what one does, and found by typing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tui.core.screen.key_names import shown_keys
from tui.core.screen.keymap import bound_keys
from tui.core.screen.keys.action import KeyAction
from tui.core.screen.keys.groups import COMMAND_GROUPS, FIELD_GROUP, FIELD_IDS, OWN_GROUP

WORD_START, INSIDE, KEY = 3, 1, 4
"""What a word of the query is worth where it begins a word, stands inside of one, or is the key."""

FILLING = frozenset({"the", "to", "of", "or", "and", "in", "its", "it", "this", "with"})
WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette. ``keys`` as a person writes them, with commas."""

    action_id: str
    text: str
    keys: str
    group: str


@dataclass(frozen=True, slots=True)
class FoundCommand:
    """A command, and which characters of its text were asked for."""

    command: Command
    matched: frozenset[int] = frozenset()


def commands_of(actions: Iterable[KeyAction], keymap: Mapping[str, str]) -> list[Command]:
    """Those of ``actions`` as commands, group after group.

    What only the open screen does comes first; keys that only a text field or the transcript has
    come last.
    """
    group_of = {action_id: title for title, ids in COMMAND_GROUPS for action_id in ids}
    place_of = {action_id: at for at, action_id in enumerate(group_of)}
    titles = [OWN_GROUP, *(title for title, _ in COMMAND_GROUPS), FIELD_GROUP]

    def group(action: KeyAction) -> str:
        is_of_field = action.action_id.startswith(FIELD_IDS)
        return group_of.get(action.action_id, FIELD_GROUP if is_of_field else OWN_GROUP)

    def place(action: KeyAction) -> tuple[int, int]:
        return titles.index(group(action)), place_of.get(action.action_id, 0)

    return [
        Command(
            action.action_id, action.text, shown_keys(bound_keys(action, keymap)), group(action)
        )
        for action in sorted(actions, key=place)
    ]


def find(query: str, commands: Sequence[Command]) -> list[FoundCommand]:
    """The commands that have every word of ``query``, the best first; without a query all of them
    in their order.

    Where no command has the words, those that have the letters of the query in their order.
    """
    words = query.lower().split()
    if not words:
        return [FoundCommand(command) for command in commands]
    ranked = [(_by_words(words, command), command) for command in commands]
    found = [(score, FoundCommand(command, at)) for (score, at), command in ranked if score]
    if not found:
        letters = [(_by_letters("".join(words), command.text), command) for command in commands]
        # The fewer letters lie between, the better.
        found = [
            (min(at) - max(at), FoundCommand(command, frozenset(at)))
            for at, command in letters
            if at
        ]
    return [one for _, one in sorted(found, key=lambda pair: -pair[0])]


def _by_words(words: Sequence[str], command: Command) -> tuple[int, frozenset[int]]:
    """What the words are worth together, 0 where one is missing; and where they stand."""
    text = command.text.lower()
    keys = command.keys.lower().split(", ")
    score, matched = 0, set[int]()
    for word in words:
        inside, start = text.find(word), _word_start(word, text)
        if start is not None:
            score += WORD_START + (start == 0)
            matched.update(range(start, start + len(word)))
        elif inside >= 0:
            score += INSIDE
            matched.update(range(inside, inside + len(word)))
        elif word not in keys and not command.group.startswith(word):
            return 0, frozenset()
        score += KEY if word in keys else 0
        score += command.group.startswith(word)
    return score, frozenset(matched)


def _word_start(word: str, text: str) -> int | None:
    """Where a word of the text begins with this one. Who types ``th`` means no article."""
    for found in WORD.finditer(text):
        if found[0].startswith(word) and (found[0] not in FILLING or found[0] == word):
            return found.start()
    return None


def _by_letters(letters: str, text: str) -> list[int]:
    """Where the letters stand in the text, one after the other; empty where one is missing."""
    places: list[int] = []
    at = -1
    for letter in letters:
        at = text.lower().find(letter, at + 1)
        if at < 0:
            return []
        places.append(at)
    return places
