"""Keys of the prompt lab: its list, the matrix, answers, judging and the text of a set."""

from __future__ import annotations

from tui.core.screen.keys.action import PAGES, KeyAction, picked

_SIDEWAYS = "another variant, another answer"

LAB_KEYS: tuple[KeyAction, ...] = (
    KeyAction("lab.up", "up,k", "move(-1)", "choose upwards, or scroll up", "choose; scroll"),
    KeyAction(
        "lab.down", "down,j", "move(1)", "choose downwards, or scroll down", "choose; scroll"
    ),
    KeyAction("lab.left", "left,h", "turn(-1)", "the previous variant or answer", _SIDEWAYS),
    KeyAction("lab.right", "right,l", "turn(1)", "the next variant or answer", _SIDEWAYS),
    KeyAction("lab.page_up", "pageup", "move(-10)", "a page up", PAGES),
    KeyAction("lab.page_down", "pagedown", "move(10)", "a page down", PAGES),
    KeyAction("lab.next_part", "tab,shift+tab", "part", "between sets and runs"),
    KeyAction("lab.open", "enter", "open", "run the set; open a run, an answer"),
    KeyAction("lab.new", "n", "new", "a new set with an example of everything"),
    KeyAction("lab.edit", "e", "edit", "edit the set"),
    KeyAction("lab.editor", "ctrl+e", "editor", "edit the set in $VISUAL or $EDITOR"),
    KeyAction("lab.mark", "space", "mark", "mark the answer for a comparison"),
    KeyAction("lab.compare", "v", "compare", "the marked answers, or the row's, side by side"),
    KeyAction("lab.failed", "f", "failed", "only rows in which something failed"),
    KeyAction("lab.only", "t", "only", "only this variant, or all"),
    KeyAction("lab.sort", "o", "sort", "sort rows: by checks, tokens, tok/s, TTFT, as in the set"),
    KeyAction("lab.judge", "g", "judge", "judge pairs of answers"),
    KeyAction("lab.use", "u", "use", "use this variant's settings in the chat"),
    KeyAction("lab.pause", "p", "pause", "pause and resume the run"),
    KeyAction("lab.skip", "s", "skip", "skip this request"),
    KeyAction("lab.stop", "x", "abort", "stop the run; press it twice (results kept, resumable)"),
    KeyAction("lab.retry", "r", "retry", "run what failed or is missing"),
    KeyAction("lab.export", "w", "export", "write Markdown, HTML, CSV and JSON"),
    KeyAction("lab.back", "escape", "back", "one step back; a run continues"),
)
"""Keys of the lab's list, matrix and answers; each screen has some of them."""

JUDGE_KEYS: tuple[KeyAction, ...] = (
    KeyAction("judge.left", "1,left", "judge('better')", "the left one is better", "a verdict"),
    KeyAction(
        "judge.right", "2,right", "judge('worse')", "the right answer is better", "a verdict"
    ),
    KeyAction("judge.same", "0,equals_sign", "judge('same')", "both are equally good", "a verdict"),
    KeyAction("judge.note", "n", "note", "a note for the next verdict"),
    KeyAction("judge.blind", "b", "blind", "hide or show the names of the variants"),
    KeyAction("judge.up", "up,k", "move(-1)", "a row up", "scroll both"),
    KeyAction("judge.down", "down,j", "move(1)", "a row down", "scroll both"),
    KeyAction("judge.page_up", "pageup", "move(-10)", "a page up", PAGES),
    KeyAction("judge.page_down", "pagedown,space", "move(10)", "a page down", PAGES),
    KeyAction("judge.back", "escape", "back", "back to the matrix; verdicts are kept"),
)
"""Keys of judging."""

SET_TEXT_KEYS: tuple[KeyAction, ...] = (
    KeyAction("set.save", "ctrl+s", "save", "check and save the set"),
    KeyAction("set.back", "escape", "back", "back; press it twice to drop what is not saved"),
)
"""Keys of the text of a set, besides the usual ones of a text field."""


LAB_LIST_KEYS = picked(
    LAB_KEYS, "up down page_up page_down next_part open new edit editor retry export back"
)
LAB_MATRIX_KEYS = picked(
    LAB_KEYS,
    "up down left right page_up page_down open mark compare failed only sort judge use pause skip "
    "stop retry export back",
)
LAB_ANSWER_KEYS = picked(LAB_KEYS, "left right use back")
LAB_SIDES_KEYS = picked(LAB_KEYS, "up down left right page_up page_down back")
