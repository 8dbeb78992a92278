"""Definition of a simulated server: its response heads and request handlers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tui.sim.profiles import Profile
from tui.sim.server.generation import Generation
from tui.sim.server.http import (
    DATE,
    HTML_TYPE,
    JSON_TYPE,
    Connection,
    HeadStyle,
    Request,
    Response,
    json_bytes,
)


class SimulatedServer(Protocol):
    """A simulated server, whatever its protocol."""

    async def answer(self, connection: Connection, request: Request) -> None:
        """Answer one request, whether it is valid or not."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of server that can be simulated."""

    name: str
    """Its name in npulse's settings: one of :data:`tui.servers.detect.KINDS`."""
    style: HeadStyle
    make: Callable[[Generation], SimulatedServer]


class RefusedError(Exception):
    """The request is answered with this error response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


WERKZEUG = HeadStyle(
    ((b"Server", b"Werkzeug/2.2.2 Python/3.11.7"), (b"Date", DATE)),
    ((b"Connection", b"close"),),
    is_closing=True,
)


def flask_json(value: object, status: int = 200) -> Response:
    """JSON as Flask's ``jsonify`` writes it: compact, keys sorted."""
    body = json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    return Response(status, body)


def node_json(value: object, status: int = 200) -> Response:
    """JSON as Fastify writes it."""
    return Response(status, json_bytes(value), JSON_TYPE + b"; charset=utf-8")


def flask_page(status: int, allow: bytes | None = None) -> Response:
    """Flask's own error page; ``allow`` is the value of the Allow header."""
    title, words = {
        400: (
            "Bad Request",
            "The browser (or proxy) sent a request that this server could not understand.",
        ),
        404: (
            "Not Found",
            "The requested URL was not found on the server. If you entered the URL manually please "
            "check your spelling and try again.",
        ),
        405: ("Method Not Allowed", "The method is not allowed for the requested URL."),
        415: (
            "Unsupported Media Type",
            "Did not attempt to load JSON data because the request Content-Type was not "
            "'application/json'.",
        ),
        500: (
            "Internal Server Error",
            "The server encountered an internal error and was unable to complete your request. "
            "Either the server is overloaded or there is an error in the application.",
        ),
    }[status]
    page = (
        f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n"
        f"<h1>{title}</h1>\n<p>{words}</p>\n"
    )
    headers = () if allow is None else ((b"Allow", allow),)
    return Response(status, page.encode(), HTML_TYPE, headers)


def read_object(request: Request) -> dict[str, Any] | None:
    """The JSON object in a request's body; None if there is none."""
    try:
        value = json.loads(request.body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def text_of(content: object) -> str:
    """The text of a message's content: a string, or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(text for text in parts if isinstance(text, str))
    return ""


def messages_of(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(role, text) of the messages in a request; what is no object is skipped."""
    messages = body.get("messages")
    return [
        (str(message.get("role", "")), text_of(message.get("content")))
        for message in (messages if isinstance(messages, list) else [])
        if isinstance(message, dict)
    ]


def last_user_text(messages: Sequence[tuple[str, str]]) -> str:
    """The text of the user's last message, whose marks control the answer; empty without one."""
    return next((text for role, text in reversed(messages) if role == "user"), "")


def chatml(messages: Sequence[tuple[str, str]]) -> str:
    """The prompt as Qwen's chat template makes it."""
    turns = "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in messages)
    return turns + "<|im_start|>assistant\n"


def positive(value: object, default: int) -> int:
    """A token limit as most servers read it: ``default`` unless it is above 0."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9:
        return int(value)
    return default


def word_usage(prompt: str, text: str) -> dict[str, int]:
    """A ``usage`` with the numbers of words in place of tokens, as some servers give it."""
    words_in, words_out = len(prompt.split()), len(text.split())
    return {
        "prompt_tokens": words_in,
        "completion_tokens": words_out,
        "total_tokens": words_in + words_out,
    }


def stem(profile: Profile) -> str:
    """The name of a model's file without its extension."""
    return profile.file_name.removesuffix(".rkllm")
