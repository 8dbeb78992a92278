"""Boards of a fleet, prepared."""

from __future__ import annotations

from tui.core.screen.fleet import BoardRow, by_what_is_wrong

GIB = float(1 << 30)
BOARDS = by_what_is_wrong(
    (
        BoardRow(
            "kitchen", "ssh://orangepi@192.168.1.20", "connected", 3.0, "", "Orange Pi 5 Max",
            "qwen3-4b", "RockchipLlama", False, "", "3.13", 86.0, "", "decode",
            9.7 * GIB, 61.0, "none",
        ),
        BoardRow(
            "cellar", "ssh://rock@cellar.local", "connected", 12.0, "", "Radxa ROCK 5B",
            "qwen3-1.7b", "rkllama", False, "", "", 97.0, "", "prefill",
            0.3 * GIB, 84.0, "none",
        ),
        BoardRow(
            "attic", "ssh://rock@attic.local:2222", "lost",
            problem="ssh://rock@attic.local:2222 was not reached: No route to host",
        ),
        BoardRow("garage", "ssh://garage"),
    )
)  # fmt: skip


class PreparedFleet:
    """Boards that never change."""

    def __init__(self, rows: tuple[BoardRow, ...] = BOARDS) -> None:
        self.boards = rows
        self.is_started = self.is_closed = False

    def rows(self) -> tuple[BoardRow, ...]:
        return self.boards

    def start(self) -> None:
        self.is_started = True

    def close(self) -> None:
        self.is_closed = True
