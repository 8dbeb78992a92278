"""Builds the top line and the notes of an empty transcript from connection and board."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tui.app.board_monitor import BoardMonitor
from tui.app.board_source import BoardReader
from tui.app.chat_session import ChatSession
from tui.app.demo import DemoBoard
from tui.app.server_words import since_words
from tui.core.screen.headline import Headline, NoModel
from tui.core.screen.key_names import shown_key
from tui.core.screen.notices import notice_lines
from tui.core.text.model_name import spoken_name
from tui.core.text.model_words import context_words, quantisation_words
from tui.core.text.sanitize import clean_line
from tui.core.types import ModelInfo
from tui.servers.address import shown_url
from tui.servers.connection_state import ConnectionState

MAX_NAME_CHARS = 40
MAX_OTHERS = 4


def headline(
    state: ConnectionState,
    chat: ChatSession,
    board: BoardMonitor,
    *,
    is_demo: bool,
    demo_problem: str | None,
    bench: str | None,
    now_ns: int,
) -> Headline:
    """The top line as of ``now_ns``.

    ``is_demo``: the simulated board runs; ``demo_problem`` is why it does not. ``bench`` tells of a
    benchmark that is running.
    """
    model, server = _model(state, chat), state.server
    snapshot, facts = board.history.latest, board.facts
    is_simulated = is_demo or (server is not None and server.is_simulated)
    name = soc = driver = None
    temperature_c = None
    if snapshot is not None:
        name, soc, driver = (
            short_name(snapshot.text(key)) for key in ("board.model", "board.soc", "npu.driver")
        )
        temperature_c = snapshot.number("soc.temp")
        is_simulated = is_simulated or snapshot.text("board.simulated") is not None
    line = board.source.line
    if line is not None:
        name = f"{name} ({line.words})" if name else line.words
    alert = None if facts is None else facts.alert
    if line is not None and line.is_lost:
        alert = line.words
    problem = demo_problem or state.problem
    status, since_ns = state.status, state.since_ns
    if status == "ready" and state.slot.status == "finishing":
        status, since_ns = "busy", state.slot.since_ns
    return Headline(
        board=name,
        soc=soc,
        driver=driver,
        server_state=status,
        server_since=since_words(since_ns, now_ns),
        server=None if server is None else clean_line(board.source.words_there(server.label)),
        model=None if model is None else short_name(spoken_name(model.name)),
        no_model=_no_model(state),
        is_model_loaded=True if model is None else model.is_loaded,
        quantisation=None if model is None else quantisation_words(model),
        context=None if model is None else context_words(model),
        temperature_c=temperature_c,
        time_of_day=time.strftime("%H:%M:%S"),
        is_simulated=is_simulated,
        is_stop_heeded=server is None or server.dialect.is_stopped_by_disconnect,
        is_server_missing=state.has_looked and not state.is_connected,
        server_problem=None if problem is None else board.source.words_there(problem),
        bench=bench,
        alert=alert,
    )


def server_notes(state: ConnectionState, keymap: Mapping[str, str]) -> list[str]:
    """Notes: problems for a prompt, other servers, and peculiarities of this one."""
    notes = [state.choice.problem] if state.choice.problem else []
    if state.note is not None:
        notes.append(state.note)
    if state.status == "ready" and state.problem:
        notes.append(state.problem)
    if state.others:
        others = ", ".join(clean_line(seen.server.label) for seen in state.others[:MAX_OTHERS])
        key = shown_key(keymap["models"].split(",")[0].strip())
        notes.append(f"Also answering: {others}; {key} chooses.")
    if state.server is not None and state.is_connected:
        notes += state.server.dialect.notes
    return notes


def notice(
    state: ConnectionState,
    head: Headline,
    demo: DemoBoard,
    keymap: Mapping[str, str],
    board: BoardReader,
) -> list[str]:
    """What an empty transcript says: where a server was looked for, notes, and the first keys."""
    looked_at = [
        board.words_there(shown_url(address).partition("://")[2]) for address in state.looked_at
    ]
    board_key = shown_key(keymap["board"].split(",")[0].strip())
    fix_key = shown_key(keymap["board.fix"].split(",")[0].strip())
    of_server = map(board.words_there, server_notes(state, keymap))
    notes = [*of_server, *demo.notes(board_key, fix_key)]
    return notice_lines(head, looked_at, keymap, notes)


def _model(state: ConnectionState, chat: ChatSession) -> ModelInfo | None:
    """The model of the answer that runs, as far as it is known by now; else the one in use."""
    turn = chat.turn
    name = turn.model if turn is not None and chat.is_answering else ""
    listed = next((model for model in state.models if name and model.name == name), None)
    # A server may tell another name in its stream than in its list.
    return listed or state.in_use or (ModelInfo(name) if name else None)


def short_name(text: str | None) -> str | None:
    """A name in one line, sanitised."""
    return None if text is None else clean_line(text, MAX_NAME_CHARS)


def _no_model(state: ConnectionState) -> NoModel:
    """The sentence for an unknown model."""
    if state.choice.problem is not None:
        return "no model chosen"
    is_told = any(model.is_loaded is not None for model in state.models)
    return "no model loaded" if is_told or not state.is_connected else "model not known"
