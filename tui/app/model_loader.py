"""The models of the server: which there are, whether they fit, and loading and unloading them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tui.app.server_link import ServerLink
from tui.core.board.reading import Snapshot
from tui.core.screen.models_view import ModelsView
from tui.core.types import ModelInfo


class ModelLoader:
    """What the model screen shows and does. Called from the app's thread; returns at once.

    ``why_wait`` is one sentence why the server must be left alone now, or None.
    """

    def __init__(
        self,
        link: ServerLink,
        clock_ns: Callable[[], int],
        why_wait: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._link = link
        self._clock_ns = clock_ns
        self._why_wait = why_wait
        self._refusal: str | None = None
        self._available_bytes: int | None = None

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """A new snapshot: the RAM that is free."""
        available = snapshot.number("ram.available")
        self._available_bytes = None if available is None else int(available)

    def view(self) -> ModelsView:
        """The models as they are now."""
        state = self._link.state
        since_ns = state.work_since_ns
        server = state.server
        routes = None if server is None else server.dialect.models
        message = state.message
        if message is None and state.loaded is not None and server is not None:
            from tui.servers.model_choice import context_note

            message = context_note(state.loaded, server)
        view = ModelsView(
            models=tuple(self._link.with_context_in_use(model) for model in state.models),
            server=None if server is None else server.label,
            can_load=routes is not None and routes.load_path is not None,
            work=state.work,
            work_s=0.0 if since_ns is None else (self._clock_ns() - since_ns) / 1e9,
            message=message,
            is_error=state.is_error,
        )
        if self._refusal is not None:
            # It holds as long as its reason does.
            self._refusal = self._why_wait()
        if self._refusal is None:
            return view
        return replace(view, message=self._refusal, is_error=True)

    def fit_note(self, model: ModelInfo) -> str:
        """Whether that model fits into the RAM that is free now, in one sentence."""
        if model.is_loaded:
            return ""
        from tui.core.board.headroom import verdict

        # The server holds one at a time: the loaded one goes first.
        loaded = self._link.state.loaded
        freed = 0 if loaded is None else loaded.size_bytes or 0
        context = self._link.context_tokens(model)
        return verdict(model.name, model.size_bytes, context, self._available_bytes, freed).sentence

    def load(self, name: str, is_forced: bool = False) -> None:
        """Load that model, after unloading the one that is loaded. Asked a second time for one
        that would not fit, it is loaded all the same."""
        self._refusal = self._why_wait()
        if self._refusal is None:
            available = self._available_bytes
            self._link.submit(lambda connection: connection.load(name, available, is_forced))

    def unload(self) -> None:
        """Unload the loaded model."""
        self._refusal = self._why_wait()
        if self._refusal is None:
            self._link.submit(lambda connection: connection.unload())

    def cancel(self) -> bool:
        """Stop waiting for a load or an unload; False where there is none."""
        if self._link.state.work is None:
            return False
        self._link.call(lambda connection: connection.cancel_work())
        return True
