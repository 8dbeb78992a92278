"""The groups of the command palette: what one does with the keys that work on the dashboard."""

from __future__ import annotations

OWN_GROUP = "this screen"
"""What only the screen does that is open."""
FIELD_GROUP = "prompt and transcript"
"""What only works where the focus is."""
FIELD_IDS = ("focus", "prompt.", "transcript.", "server.")
"""How the ids of those begin."""

COMMAND_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "answer",
        (
            "stop", "stop_paragraph", "stop_tokens", "regenerate", "edit", "prev_branch",
            "next_branch", "timeline", "to_lab", "thinking", "plain",
        ),
    ),
    (
        "conversation",
        (
            "new", "old", "search", "copy", "copy_code", "prev_turn", "next_turn", "prev_code",
            "next_code",
        ),
    ),
    ("server and model", ("models", "settings", "connect", "demo")),
    (
        "screens",
        (
            "board", "bench", "history", "lab", "clients", "fleet", "panel.speed", "panel.npu",
            "panel.memory", "panel.board", "panel.answers",
        ),
    ),
    ("npulse", ("theme", "colours", "palette", "help", "interrupt", "quit")),
)  # fmt: skip
"""Title and actions of each, in the order in which they are shown."""
