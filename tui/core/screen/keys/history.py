"""Keys of the history, its conversations and the answers that stand side by side."""

from __future__ import annotations

from tui.core.screen.keys.action import PAGES, KeyAction

_BRANCHES = "another branch of the conversation"

HISTORY_KEYS: tuple[KeyAction, ...] = (
    KeyAction("history.up", "up,k", "choose(-1)", "to the conversation above", "choose"),
    KeyAction("history.down", "down,j", "choose(1)", "to the conversation below", "choose"),
    KeyAction("history.page_up", "pageup", "page(-1)", "a page up", PAGES),
    KeyAction("history.page_down", "pagedown", "page(1)", "a page down", PAGES),
    KeyAction("history.home", "home", "ends(-1)", "to the newest", "to the newest, the oldest"),
    KeyAction("history.end", "end", "ends(1)", "to the oldest", "to the newest, the oldest"),
    KeyAction("history.open", "enter", "open", "read the conversation, or what was found in it"),
    KeyAction("history.continue", "c", "continue", "continue the conversation in the chat"),
    KeyAction("history.replay", "R", "replay", "replay its last answer as it was received"),
    KeyAction("history.search", "slash", "search", "search titles, tags and all texts"),
    KeyAction("history.pin", "p", "pin", "pin it to the top, or not"),
    KeyAction("history.rename", "r", "rename", "rename it"),
    KeyAction("history.tag", "t", "tag", "give it tags"),
    KeyAction("history.delete", "d,delete", "delete", "delete it"),
    KeyAction("history.undo", "u", "undo", "take the last deletion back"),
    KeyAction("history.mark", "space", "mark", "mark its last answer for a comparison"),
    KeyAction("history.compare", "v", "compare", "the marked answers and this one, side by side"),
    KeyAction("history.back", "escape", "back", "one step back"),
)
"""Keys of the history screen (F4)."""

CONVERSATION_KEYS: tuple[KeyAction, ...] = (
    KeyAction("conversation.continue", "enter", "continue", "continue this branch in the chat"),
    KeyAction("conversation.edit", "e", "edit", "edit the prompt in view and send it again"),
    KeyAction(
        "conversation.compare", "v", "compare", "answers to the prompt in view, side by side"
    ),
    KeyAction("conversation.lab", "l", "lab", "to the lab: the prompt in view, its settings"),
    KeyAction("conversation.replay", "R", "replay", "replay the answer in view as it was received"),
    KeyAction("conversation.prev_branch", "left", "branch(-1)", "the previous branch", _BRANCHES),
    KeyAction("conversation.next_branch", "right", "branch(1)", "the next branch", _BRANCHES),
    KeyAction("conversation.timeline", "alt+t", "timeline", "the timeline of the answer in view"),
    KeyAction("conversation.back", "escape", "back", "back to the list"),
)
"""Keys of a conversation that is opened from the history, besides those of the transcript."""

ANSWERS_KEYS: tuple[KeyAction, ...] = (
    KeyAction("answers.left", "left,h", "turn(-1)", "the previous answers", "other answers"),
    KeyAction("answers.right", "right,l", "turn(1)", "the next answers", "other answers"),
    KeyAction("answers.up", "up,k", "move(-1)", "a row up", "scroll all"),
    KeyAction("answers.down", "down,j", "move(1)", "a row down", "scroll all"),
    KeyAction("answers.page_up", "pageup", "page(-1)", "a page up", PAGES),
    KeyAction("answers.page_down", "pagedown", "page(1)", "a page down", PAGES),
    KeyAction("answers.timeline", "enter,alt+t", "timeline", "the timelines of these answers"),
    KeyAction("answers.back", "escape", "back", "back"),
)
"""Keys of answers that stand side by side."""

_SPEED = "faster or slower"

REPLAY_KEYS: tuple[KeyAction, ...] = (
    KeyAction("replay.pause", "p", "pause", "pause and resume the replay"),
    KeyAction("replay.step", "full_stop", "step", "pause, and play one more token"),
    KeyAction("replay.faster", "plus,equals_sign", "speed(1)", "play faster", _SPEED),
    KeyAction("replay.slower", "minus", "speed(-1)", "play slower", _SPEED),
    KeyAction("replay.end", "e", "to_end", "to the end of this answer"),
    KeyAction("replay.again", "b", "again", "from the beginning"),
    KeyAction("replay.back", "escape", "leave", "leave the replay"),
)
"""Keys of a replay, besides those of the transcript and some of the chat."""
