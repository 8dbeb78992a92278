"""The server's models: which it has, which one is loaded, and how loading goes wrong.

:meth:`Models.load` does it as RockchipLlama, defects included; other servers switch models by
:meth:`Models.switch`, which works:

- Loading freezes the server for as long as it takes (:mod:`tui.sim.runtime.gate`).
- Loading the model that is loaded already is a no-op.
- Loading while *another* model is loaded never returns: the real server takes a lock that it
  already holds, inside its event loop. So the whole process is dead from then on, health check and
  running stream included; only ending it helps. A client unloads first.
- An unknown name makes the server forget its loaded model without freeing the memory.
- Unloading during an answer ends that answer, and those that wait behind it come out empty. (What
  the real runtime does then is not known.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tui.sim.board.state import BoardMemo
from tui.sim.profiles import PROFILES, Profile, find_profile
from tui.sim.runtime.gate import Gate


class LoadError(Exception):
    """Loading failed; the message is the server's own."""


class Models:
    """The models on the simulated disk and the one in memory."""

    def __init__(
        self,
        loaded: Profile | None,
        speed: float,
        gate: Gate,
        memo: BoardMemo,
        profiles: Sequence[Profile] = PROFILES,
    ) -> None:
        self.loaded = loaded and (find_profile(loaded.name, profiles) or loaded)
        self.unloads = 0
        """Grows with each unloading, so that a run can tell that its model is gone."""
        self._profiles = profiles
        self._speed = speed
        self._gate = gate
        self._memo = memo
        self._switching = asyncio.Lock()
        memo.hold(self.loaded)

    @property
    def available(self) -> list[Profile]:
        """All of them, the smallest first."""
        return sorted(self._profiles, key=lambda profile: profile.size_mb)

    async def load(self, name: str) -> Profile:
        """Load a model. Raises LoadError; never returns while another one is loaded."""
        await self._gate.passed()
        profile = find_profile(name, self._profiles)
        if profile is None:
            self._memo.leak()
            self.loaded = None
            raise LoadError(f"Failed to load model: Model not found: {name}")
        if self.loaded is profile:
            return profile
        self._gate.shut()
        if self.loaded is not None:
            await asyncio.Event().wait()
        self._memo.load(True)
        await asyncio.sleep(profile.load_s / self._speed)
        self.loaded = profile
        self._memo.hold(profile)
        self._memo.load(False)
        self._gate.open()
        return profile

    async def switch(self, profile: Profile) -> None:
        """Unload the loaded model, if it is another one, and load this one; the server goes on."""
        async with self._switching:
            if self.loaded is profile:
                return
            self.unload()
            self._memo.load(True)
            try:
                await asyncio.sleep(profile.load_s / self._speed)
                self.loaded = profile
                self._memo.hold(profile)
            finally:
                self._memo.load(False)

    def unload(self) -> Profile | None:
        """Give the loaded model's memory back; None if there is none."""
        profile, self.loaded = self.loaded, None
        if profile is not None:
            self.unloads += 1
            self._memo.hold(None)
        return profile

    async def ensure(self, name: str) -> tuple[Profile, bool]:
        """The loaded model, whatever it is called; else the named one, else the smallest. And
        whether it was there at once."""
        if self.loaded is not None and not self._gate.is_shut:
            return self.loaded, True
        await self._gate.passed()
        if self.loaded is not None:
            return self.loaded, False
        wanted = next((profile for profile in self.available if profile.name == name), None)
        return await self.load((wanted or self.available[0]).name), False
