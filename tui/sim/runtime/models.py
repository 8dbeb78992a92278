"""The server's models: which exist, which one is loaded, and how loading fails.

:meth:`Models.load` simulates RockchipLlama with its defects. Other servers use
:meth:`Models.switch`, which works. The defects:

- Loading blocks the server until it is done (:mod:`tui.sim.runtime.load_gate`).
- Loading the model that is loaded already does nothing.
- Loading while *another* model is loaded never returns: the real server acquires a lock that it
    already holds, inside its event loop. From then on it answers nothing, neither a health check
    nor the running stream, until it is killed. A client has to unload first.
- An unknown name makes the server drop its loaded model without freeing the memory.
- Unloading during an answer ends that answer; requests that wait get an empty answer. (What the
    real runtime does then is not known.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tui.sim.board.state import BoardMemo
from tui.sim.profiles import PROFILES, Profile, find_profile
from tui.sim.runtime.load_gate import LoadGate


class LoadError(Exception):
    """Loading failed. The message is the server's own."""


class Models:
    """The models on the simulated disk and the one in memory."""

    def __init__(
        self,
        loaded: Profile | None,
        speed: float,
        gate: LoadGate,
        memo: BoardMemo,
        profiles: Sequence[Profile] = PROFILES,
    ) -> None:
        self.loaded = loaded and (find_profile(loaded.name, profiles) or loaded)
        self.unloads = 0
        """Number of unloads, by which a run notices that its model was unloaded."""
        self._profiles = profiles
        self._speed = speed
        self._gate = gate
        self._memo = memo
        self._switching = asyncio.Lock()
        memo.set_model(self.loaded)

    @property
    def available(self) -> list[Profile]:
        """All models, the smallest first."""
        return sorted(self._profiles, key=lambda profile: profile.size_mb)

    async def load(self, name: str) -> Profile:
        """Load a model. Raises LoadError; never returns while another one is loaded."""
        await self._gate.passed()
        profile = find_profile(name, self._profiles)
        if profile is None:
            self._memo.leak_model()
            self.loaded = None
            raise LoadError(f"Failed to load model: Model not found: {name}")
        if self.loaded is profile:
            return profile
        self._gate.shut()
        if self.loaded is not None:
            await asyncio.Event().wait()
        self._memo.set_loading(True)
        await asyncio.sleep(profile.load_s / self._speed)
        self.loaded = profile
        self._memo.set_model(profile)
        self._memo.set_loading(False)
        self._gate.open()
        return profile

    async def switch(self, profile: Profile) -> None:
        """Load this model in place of the loaded one. The server goes on meanwhile."""
        async with self._switching:
            if self.loaded is profile:
                return
            self.unload()
            self._memo.set_loading(True)
            try:
                await asyncio.sleep(profile.load_s / self._speed)
                self.loaded = profile
                self._memo.set_model(profile)
            finally:
                self._memo.set_loading(False)

    def unload(self) -> Profile | None:
        """Unload the model and free its memory; returns it, or None if none was loaded."""
        profile, self.loaded = self.loaded, None
        if profile is not None:
            self.unloads += 1
            self._memo.set_model(None)
        return profile

    async def ensure(self, name: str) -> tuple[Profile, bool]:
        """The loaded model, whatever its name; without one, loads the named model, else the
        smallest.

        Returns the model, and whether it was loaded already. Raises LoadError.
        """
        if self.loaded is not None and not self._gate.is_shut:
            return self.loaded, True
        await self._gate.passed()
        if self.loaded is not None:
            return self.loaded, False
        wanted = next((profile for profile in self.available if profile.name == name), None)
        return await self.load((wanted or self.available[0]).name), False
