"""One request of a result, sanitised for its screen."""

from __future__ import annotations

from tui.bench.model.screen import OpenedRequest
from tui.bench.session.cleaned import cleaned
from tui.bench.store.run_files import Loaded
from tui.core.text.sanitize import clean

MAX_TEXT_CHARS = 400_000
"""A text beyond this is cut: no model on a board writes so much, but a file may hold it."""


def opened_request(loaded: Loaded, at: int) -> OpenedRequest | None:
    """The request at index ``at`` of the document, sanitised. None where there is none."""
    requests = loaded.document.requests
    if not 0 <= at < len(requests):
        return None
    request = requests[at]
    text, thinking = loaded.texts.get(request.key, ("", ""))
    return OpenedRequest(
        number=at + 1,
        of=len(requests),
        request=cleaned(request),
        prompt=_text(loaded.prompts.get(request.key, "")),
        thinking=_text(thinking),
        text=_text(text),
    )


def _text(text: str) -> str:
    cut = clean(text[:MAX_TEXT_CHARS])
    missing = len(text) - MAX_TEXT_CHARS
    return f"{cut}\n[{missing} more characters]" if missing > 0 else cut
