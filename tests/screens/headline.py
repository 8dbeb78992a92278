"""The header's facts of a board in tests."""

from __future__ import annotations

from tui.core.screen.headline import Headline

HEADLINE = Headline(
    board="Orange Pi 5 Max",
    soc="rk3588",
    server_state="ready",
    server="RockchipLlama :8021",
    model="qwen3-4b",
    quantisation="w8a8",
    context="16k",
    temperature_c=63.0,
    time_of_day="14:02:11",
    is_simulated=True,
)
