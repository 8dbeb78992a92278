"""Servers and models for the models screen: list, choice, RAM check, load and unload."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tui.app.server_link import ServerLink
from tui.app.server_words import since_words
from tui.core.board.headroom import Verdict, fit_of, free_words
from tui.core.board.reading import Snapshot
from tui.core.screen.models_view import ModelsView, ServerModels
from tui.core.text.model_name import spoken_name
from tui.core.types import ModelInfo
from tui.servers.address import is_local
from tui.servers.connection_state import ConnectionState, Server

STATE_WORDS = {"ready": "connected", "busy": "busy", "loading": "loading", "gone": "unreachable"}


class ModelLoader:
    """What the model screen shows and does, see :class:`tui.core.screen.models_view.Models`. Called
    from the app's thread; returns at once.

    ``why_wait`` is one sentence why the server must be left alone now, or None. ``foreign_work``
    says, as a clause, what shows that the server answers somebody else; ``words_there``
    names servers in a sentence by their places on the board.
    """

    def __init__(
        self,
        link: ServerLink,
        clock_ns: Callable[[], int],
        why_wait: Callable[[], str | None] = lambda: None,
        foreign_work: Callable[[], str | None] = lambda: None,
        words_there: Callable[[str], str] = lambda sentence: sentence,
    ) -> None:
        self._link = link
        self._clock_ns = clock_ns
        self._why_wait = why_wait
        self._foreign_work = foreign_work
        self._words_there = words_there
        self._refusal: str | None = None
        self._warning: str | None = None
        self._warned_of: tuple[str, str] | None = None
        """The action that was held back because it would end another client's answer."""
        self._available_bytes: int | None = None
        self._is_board_simulated = False

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """A new snapshot: the RAM that is free."""
        available = snapshot.number("ram.available")
        self._available_bytes = None if available is None else int(available)
        self._is_board_simulated = snapshot.text("board.simulated") is not None

    def view(self) -> ModelsView:
        """The servers and models as they are now."""
        state = self._link.state
        since_ns = state.work_since_ns
        view = ModelsView(
            servers=self._servers(state),
            answering_name=state.choice.name if state.choice.problem is None else "",
            answering=_answering(state),
            has_to_choose=state.choice.problem is not None,
            is_looking=state.is_surveying,
            work=state.work,
            work_s=0.0 if since_ns is None else (self._clock_ns() - since_ns) / 1e9,
            message=None if state.message is None else self._words_there(state.message),
            is_error=state.is_error,
            ram=self._ram_words(state),
        )
        if state.server is not None:
            routes = state.server.dialect.models
            view = replace(
                view,
                can_load=routes.load_path is not None,
                can_unload=routes.unload_path is not None,
                notes=_notes(state, state.server),
            )
        if self._refusal is not None:
            # It holds as long as its reason does.
            self._refusal = self._why_wait()
        told = self._refusal or self._warning
        return view if told is None else replace(view, message=told, is_error=True)

    def _servers(self, state: ConnectionState) -> tuple[ServerModels, ...]:
        own = state.server
        rows = []
        if own is not None:
            word = STATE_WORDS.get(state.status, "")
            if state.status == "gone":
                word = f"{word} {since_words(state.since_ns, self._clock_ns())}"
            problem = None if state.models else state.problem
            rows.append(
                ServerModels(own.url, own.label, state.models, state.is_connected, word, problem)
            )
        rows += [
            ServerModels(seen.server.url, seen.server.label, seen.models, problem=seen.problem)
            for seen in state.others
        ]
        silent = "accepts connections but does not answer: busy, or not an LLM server"
        rows += [ServerModels(url, url, problem=silent) for url in state.busy_urls]
        return tuple(self._placed(row) for row in rows)

    def _placed(self, row: ServerModels) -> ServerModels:
        problem = None if row.problem is None else self._words_there(row.problem)
        return replace(row, label=self._words_there(row.label), problem=problem)

    def fit(self, url: str, model: ModelInfo) -> Verdict:
        """Whether that model of the server at ``url`` fits into the RAM that is free there."""
        state = self._link.state
        own = state.server
        is_own = own is not None and own.url == url
        models = state.models if is_own else ()
        models += tuple(
            one for seen in state.others if seen.server.url == url for one in seen.models
        )
        return fit_of(model, models, self._free_bytes(url))

    def _free_bytes(self, url: str) -> int | None:
        """The RAM that is free where the server at this address runs, which is not always here.

        The simulator's models are those of a simulated board: this machine's RAM says nothing.
        """
        state = self._link.state
        servers = [seen.server for seen in state.others]
        servers += [state.server] if state.server is not None else []
        is_simulated = any(one.is_simulated for one in servers if one.url == url)
        is_here = is_local(url) and (self._is_board_simulated or not is_simulated)
        return self._available_bytes if is_here else None

    def _ram_words(self, state: ConnectionState) -> str:
        """How much RAM is free, and how that is known."""
        free = None if state.server is None else self._free_bytes(state.server.url)
        if free is None:
            return "how much RAM is free where the server runs is not known"
        return free_words(free)

    def look_around(self) -> None:
        """Searches for other servers and their models."""
        self._link.submit(lambda connection: connection.survey())

    def use(self, url: str, name: str, is_forced: bool = False) -> None:
        """The next prompts go to that model. Where the loaded one answers whatever is asked, it has
        to be loaded for that."""
        server = self._link.state.server
        if server is not None and server.url == url:
            routes = server.dialect.models
            if not routes.is_name_heeded and routes.load_path is not None:
                self.load(url, name, is_forced)
                return
        self._refusal = self._warning = self._warned_of = None
        self._link.submit(lambda connection: connection.use(url, name))

    def load(self, url: str, name: str, is_forced: bool = False) -> None:
        """Load that model, after unloading the loaded one where that must be; ``is_forced`` also
        where it would not fit."""
        self._refusal = self._why_wait()
        # Who insisted against that warning said nothing of the RAM.
        is_forced = is_forced and self._warned_of is None
        if self._refusal is None and self._is_meant("load", name):
            free = self._free_bytes(url)
            self._link.submit(
                lambda connection: connection.use_and_load(url, name, free, is_forced)
            )

    def unload(self, name: str | None = None) -> None:
        """Unload that model of the connected server, without a name the loaded one."""
        self._refusal = self._why_wait()
        if self._refusal is None and self._is_meant("unload", name or ""):
            self._link.submit(lambda connection: connection.unload(name))

    def _is_meant(self, verb: str, name: str) -> bool:
        """Whether this may be done: at once, or asked for again where it would end an answer."""
        reason = self._foreign_work()
        if reason is None or self._warned_of == (verb, name):
            self._warning = self._warned_of = None
            return True
        self._warned_of = (verb, name)
        self._warning = (
            f"{reason[:1].upper()}{reason[1:]}: to {verb} a model may end another "
            "client's answer. The same key again does it anyway."
        )
        return False

    def cancel(self) -> bool:
        """Stop waiting for a load or an unload; False where there is none."""
        if self._link.state.work is None:
            return False
        self._link.call(lambda connection: connection.cancel_work())
        return True


def _answering(state: ConnectionState) -> str | None:
    """The sentence about the model of the next prompt."""
    choice = state.choice
    if not state.is_connected:
        return None
    if choice.problem is not None:
        return choice.problem
    if choice.name:
        return f"{spoken_name(choice.name)} answers the next prompt ({choice.reason})."
    return "The server chooses the model for the next prompt."


def _notes(state: ConnectionState, server: Server) -> tuple[str, ...]:
    """What cannot be done with its models, and what else to know of it."""
    from tui.servers.capabilities import change_limits, notes_of
    from tui.servers.model_choice import context_note

    note = None if state.in_use is None else context_note(state.in_use, server)
    own = (note,) if note else ()
    return (*own, *change_limits(server.dialect), *notes_of(server.dialect))
