"""The words of an error, wherever a server puts them: JSON in every shape, pages, plain text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tui.core.text.sanitize import clean_line

MAX_SERVER_CHARS = 240
MAX_DEPTH = 6

_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


def readable_error(body: object, depth: int = 0) -> str | None:
    """The message in the JSON body of an error, in any of the shapes that servers use.

    ``{"error": {"message"}}``, ``{"error": "text"}``, ``{"detail": "text"}``,
    ``{"detail": [{"loc", "msg"}]}``, ``{"status": "error", "message"}``,
    ``{"statusCode", "code", "error", "message"}``, or a bare text. None where there is none.
    """
    if isinstance(body, str):
        return clean_line(body, MAX_SERVER_CHARS) or None
    if depth > MAX_DEPTH:
        return None
    if isinstance(body, list):
        return _joined(readable_error(item, depth + 1) for item in body[:4])
    if not isinstance(body, dict):
        return None
    field_error = _field_error(body)
    if field_error:
        return field_error
    message, error, detail = body.get("message"), body.get("error"), body.get("detail")
    for found in (detail, error, message):
        if isinstance(found, dict | list):
            inner = readable_error(found, depth + 1)
            if inner:
                return inner
    # Where "error" is only the name of the status ("Bad Request"), "message" says more.
    for found in (message, error, detail, body.get("msg"), body.get("type")):
        if isinstance(found, str) and found.strip():
            return clean_line(found, MAX_SERVER_CHARS)
    return None


def _field_error(item: dict[object, object]) -> str | None:
    """One entry of a validation error, with the field it is about."""
    where, what = item.get("loc"), item.get("msg")
    if not isinstance(what, str) or not isinstance(where, list):
        return None
    path = [str(part) for part in where if isinstance(part, str | int) and part != "body"]
    sent = item.get("input")
    shown = f" (sent {sent!r})" if isinstance(sent, str | int | float) else ""
    return clean_line(f"{'.'.join(path) or 'the body'}: {what}{shown}", MAX_SERVER_CHARS)


def _joined(parts: Iterator[str | None]) -> str | None:
    return clean_line("; ".join(part for part in parts if part), MAX_SERVER_CHARS) or None


def html_message(text: str) -> str:
    """What a web page says, without its markup: its title, else its first words."""
    title = _TITLE.search(text)
    words = clean_line(_TAG.sub(" ", title.group(1) if title else text), 120)
    return words or "an empty web page"


def body_message(text: str, content_type: str) -> str | None:
    """The message in a body of any kind: JSON, a web page or plain text. None if it is empty."""
    start = text.lstrip("\ufeff \t\r\n")
    if "html" in content_type or start[:1] == "<":
        return f"a web page: {html_message(text)}"
    try:
        return readable_error(json.loads(start))
    except (ValueError, RecursionError):
        return clean_line(start, MAX_SERVER_CHARS) or None


# -- failures before and around a stream ---------------------------------------------------------
