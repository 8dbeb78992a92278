"""RockchipLlama's model routes on a raw socket, with its defects: see facts in the docstrings."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tests.servers.raw_server import Wire

FILES = {
    "qwen3-4b": ("Qwen3-4B-rk3588-w8a8-16k.rkllm", 4367.83),
    "gemma3-1b": ("gemma-3-1b-it-w4a16_g128-ctx2048.rkllm", 1130.56),
    "tiny": ("tiny.rkllm", 0.0),
}


@dataclass
class RockchipScript:
    """Loading over another model hangs; an unknown name forgets the loaded one; loading freezes
    every route. ``hung`` is true once the process would be dead for good."""

    loaded: str | None = "qwen3-4b"
    hung: bool = False
    forgot: bool = False
    load_s: float = 0.05
    """How long it loads, at least."""
    may_load: asyncio.Event | None = None
    """Until this is set it goes on loading."""
    is_frozen: bool = False
    is_listed: bool = True
    tokens: int = 3
    token_s: float = 0.02
    calls: list[str] = field(default_factory=list)
    simulated: bool = False
    thaw: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, wire: Wire) -> None:
        asked = wire.asked
        self.calls.append(f"{asked.method} {asked.path}")
        if self.is_frozen or self.hung:
            await self.thaw.wait()
        route = {
            "GET /": self.root,
            "GET /v1/models": self.models,
            "GET /v1/models/available": self.available,
            "GET /v1/models/loaded": self.loaded_now,
            "POST /v1/models/load": self.load,
            "POST /v1/models/unload": self.unload,
            "POST /v1/chat/completions": self.chat,
        }.get(self.calls[-1])
        if route is None:
            await wire.json({"detail": "Not Found"}, 404)
        else:
            await route(wire)

    async def reply(self, wire: Wire, value: object, status: int = 200) -> None:
        headers = {"x_npulse_simulated": "1"} if self.simulated else {}
        await wire.json(value, status, **headers)

    async def root(self, wire: Wire) -> None:
        await self.reply(wire, {"name": "RockchipLlama API", "version": "0.1.0"})

    async def models(self, wire: Wire) -> None:
        rows = [{"id": n, "object": "model", "owned_by": "rockchip"} for n in FILES]
        await self.reply(wire, {"object": "list", "data": rows if self.is_listed else []})

    async def available(self, wire: Wire) -> None:
        rows = [
            {"name": n, "filename": f, "path": f"/m/{f}", "size_mb": s, "loaded": n == self.loaded}
            for n, (f, s) in FILES.items()
        ]
        await self.reply(wire, {"models": rows, "total": len(rows), "loaded_model": self.loaded})

    async def loaded_now(self, wire: Wire) -> None:
        is_loaded = self.loaded is not None
        path = f"/m/{self.loaded}" if is_loaded else None
        body = {"loaded": is_loaded, "model_name": self.loaded, "model_path": path}
        await self.reply(wire, body)

    async def load(self, wire: Wire) -> None:
        name = wire.asked.json["model"]
        assert isinstance(name, str)
        if name not in FILES:
            self.forgot = self.loaded is not None
            self.loaded = None
            await self.reply(
                wire, {"detail": f"Failed to load model: Model not found: {name}"}, 500
            )
            return
        if self.loaded is not None and self.loaded != name:
            self.hung = True
            await self.thaw.wait()
        self.is_frozen = True
        await asyncio.sleep(self.load_s)
        if self.may_load is not None:
            await self.may_load.wait()
        self.is_frozen = False
        self.thaw.set()
        self.thaw = asyncio.Event()
        self.loaded = name
        body = {"success": True, "message": "loaded", "model_name": name, "loaded": True}
        await self.reply(wire, body)

    async def unload(self, wire: Wire) -> None:
        was, self.loaded = self.loaded, None
        await self.reply(wire, {"success": was is not None, "message": "unloaded"})

    async def chat(self, wire: Wire) -> None:
        await wire.head()
        for number in range(self.tokens):
            await wire.token(f"t{number} ")
            await asyncio.sleep(self.token_s)
        await wire.done()
