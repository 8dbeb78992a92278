"""Notice of an empty transcript: the server's state, and the keys to use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tui.core.screen.headline import Headline
from tui.core.screen.key_names import shown_key


def notice_lines(
    headline: Headline,
    looked_at: Sequence[str],
    keymap: Mapping[str, str],
    notes: Sequence[str] = (),
) -> list[str]:
    """The lines for the state that ``headline`` tells.

    ``looked_at`` are the addresses that were tried, ``keymap`` the keys of each action, separated
    by commas. ``notes`` are sentences about the server, what else answers among them.
    """

    def key(action_id: str) -> str:
        return shown_key(keymap[action_id].split(",")[0].strip())

    lines: list[str] = []
    if headline.is_simulated:
        lines += [
            "SIMULATED board: answers and readings are made up by npulse sim;",
            "what is measured from them is measured as on a real one.",
            "",
        ]
    if headline.server_state in ("searching", "gone"):
        return [
            *lines,
            *notes,
            *([""] if notes else []),
            *_no_server(looked_at, headline.server_problem, key),
        ]
    where = headline.server or "the server"
    if headline.server_state == "loading":
        return [*lines, f"{where} is loading a model; {key('models')} shows for how long."]
    said = [*notes, ""] if notes else []
    if headline.model is None:
        return [
            *lines,
            f"{where} answers; {headline.no_model}.",
            "",
            *said,
            f"{key('models'):<7} choose the model",
            *_without_model(headline, key("prompt.send")),
        ]
    return [
        *lines,
        f"{headline.model} {_readiness(headline)} on {where}.",
        "",
        *said,
        f"{key('prompt.send'):<7} send a prompt          {key('stop'):<7} {_stopping(headline)}",
        f"{key('models'):<7} models                 {key('settings'):<7} settings, system prompt",
        f"{key('help'):<7} all keys               {key('palette'):<7} commands and themes",
    ]


def _without_model(headline: Headline, send: str) -> list[str]:
    if headline.no_model == "no model chosen":
        return []
    if headline.no_model == "model not known":
        return [f"{send:<7} a prompt goes to the model that the server chooses"]
    return [f"{send:<7} a prompt loads the server's default model first"]


def _stopping(headline: Headline) -> str:
    return "stop the answer" if headline.is_stop_heeded else "stop; the server continues"


def _readiness(headline: Headline) -> str:
    return "is loaded with the first prompt" if headline.is_model_loaded is False else "is ready"


def _no_server(
    looked_at: Sequence[str], problem: str | None, key: Callable[[str], str]
) -> list[str]:
    tried = ", ".join(looked_at) or "127.0.0.1"
    lines = ["No rkllm server answers yet.", "", f"Looked at {tried};", "looking again on its own."]
    if problem:
        lines += ["", problem]
    return [
        *lines,
        "",
        "Start your server, or from here:",
        f"{key('connect'):<7} type the URL of a server somewhere else; "
        f"{key('server.connect')} connects",
        f"{key('demo'):<7} start the simulated board; "
        f"after {key('focus')}, {key('transcript.demo')} does it too",
        "",
        "From a shell: npulse --url http://HOST:PORT, npulse --demo",
    ]
