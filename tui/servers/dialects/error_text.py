"""Extracts the message of an error response: JSON of any shape, HTML, plain text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from string import ascii_lowercase, ascii_uppercase

from tui.core.text.sanitize import clean_line

MAX_SERVER_CHARS = 240
MAX_DEPTH = 6

MAX_PAGE_CHARS = 4096
"""How much of a web page is looked at: its title stands near its beginning."""

_OTHER_FIELDS = ("msg", "errors", "error_msg", "error_message", "exception", "reason")
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
"""Lower case that keeps every position, which ``str.lower`` does not."""


def quoted(text: str) -> str:
    """Words of a server in a sentence of ours: clean, on one line, bounded."""
    return f"“{clean_line(text[:MAX_PAGE_CHARS], MAX_SERVER_CHARS)}”"


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
    others = [body.get(name) for name in _OTHER_FIELDS]
    for found in (detail, error, message, *others):
        if isinstance(found, dict | list):
            inner = readable_error(found, depth + 1)
            if inner:
                return inner
    # Where "error" is only the name of the status ("Bad Request"), "message" says more.
    for found in (message, error, detail, *others, body.get("type")):
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
    page = text[:MAX_PAGE_CHARS]
    title = _title(page)
    words = clean_line(_without_markup(page if title is None else title), 120)
    return words or "an empty web page"


def _title(page: str) -> str | None:
    lowered = page.translate(_LOWER)
    tag = lowered.find("<title")
    begin = page.find(">", tag) + 1 if tag >= 0 else 0
    end = lowered.find("</title", begin) if begin else -1
    return page[begin:end] if end >= 0 else None


def _without_markup(page: str) -> str:
    """The text between the tags, without scripts and styles. Looks at each character once."""
    lowered = page.translate(_LOWER)
    parts: list[str] = []
    at = 0
    while (tag := page.find("<", at)) >= 0:
        parts.append(page[at:tag])
        end = tag
        for name in ("script", "style"):
            if lowered.startswith(f"<{name}", tag):
                end = lowered.find(f"</{name}", tag)
        end = page.find(">", end) if end >= 0 else -1
        if end < 0:
            # A tag that does not end within the page: words only if nothing else is known.
            return " ".join(parts) if "".join(parts).strip() else page[tag:].lstrip("<")
        at = end + 1
    return " ".join((*parts, page[at:]))


def body_message(text: str, content_type: str) -> str | None:
    """The message in a body of any kind: JSON, a web page or plain text. None if it is empty."""
    start = text.lstrip("\ufeff \t\r\n")
    if "html" in content_type or start[:1] == "<":
        return f"a web page: {html_message(text)}"
    try:
        return readable_error(json.loads(start))
    except (ValueError, RecursionError):
        return clean_line(start, MAX_SERVER_CHARS) or None
