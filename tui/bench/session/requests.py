"""One request of a result, sanitised for its screen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tui.bench.model.records import Request
from tui.bench.model.screen import OpenedRequest
from tui.bench.session.sanitized import cleaned
from tui.bench.store.request_timeline import MAX_TEXT_CHARS, request_timeline
from tui.bench.store.run_files import Loaded
from tui.core.text.sanitize import clean, clean_line
from tui.timeline.source import TimelineSource

if TYPE_CHECKING:
    from tui.recording.reading import Recording


def opened_request(loaded: Loaded, at: int) -> OpenedRequest | None:
    """The request at index ``at`` of the document, sanitised; None without one."""
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


def request_timelines(loaded: Loaded) -> list[TimelineSource]:
    """The timeline of each request of the document, built on demand. Building one without token
    times raises ValueError with a sentence."""
    return [
        TimelineSource(
            _label(request),
            partial(request_timeline, loaded, request),
            recording=partial(_recording, loaded, request),
        )
        for request in loaded.document.requests
    ]


def _recording(loaded: Loaded, request: Request) -> Recording:
    # Imported here, as it imports the history, which the benchmark screens do not need.
    from tui.bench.store.request_recording import request_recording

    return request_recording(loaded, request)


def _label(request: Request) -> str:
    return clean_line(f"{request.name or request.id}, repetition {request.rep + 1}", 80)


def _text(text: str) -> str:
    cut = clean(text[:MAX_TEXT_CHARS])
    missing = len(text) - MAX_TEXT_CHARS
    return f"{cut}\n[{missing} more characters]" if missing > 0 else cut
