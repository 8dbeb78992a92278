"""All servers that can be simulated."""

from __future__ import annotations

from tui.sim.server.dialects import (
    llama_cpp,
    ollama,
    openai,
    orkllm,
    rkllama,
    rkllm_api_server,
    rkllm_chat,
    rkllm_demo,
    rockchipllama,
)
from tui.sim.server.dialects.dialect import Dialect

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        rockchipllama.DIALECT,
        rkllama.DIALECT,
        orkllm.DIALECT,
        rkllm_api_server.DIALECT,
        rkllm_demo.DIALECT,
        rkllm_chat.DIALECT,
        llama_cpp.DIALECT,
        ollama.DIALECT,
        openai.FAMILY,
        openai.DIALECT,
    )
}
"""By name; the first is the default."""
