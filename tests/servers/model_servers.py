"""Servers that have models, as they are told to the rules that choose one."""

from __future__ import annotations

from tui.servers.client import PhaseTimeouts
from tui.servers.connection_state import Server
from tui.servers.dialects import (
    openai,
    rockchipllama,
)

ROCKCHIP, OPENAI = rockchipllama.DIALECT, openai.DIALECT
REAL = Server("http://127.0.0.1:8021", ROCKCHIP, "RockchipLlama")
SIMULATED = Server("http://127.0.0.1:8021", ROCKCHIP, "RockchipLlama", is_simulated=True)
PLAIN = Server("http://127.0.0.1:8080", OPENAI, "OpenAI-compatible")
QUICK = PhaseTimeouts(connect_s=1.0, query_s=0.5, load_s=20.0)
GIB = 2**30
