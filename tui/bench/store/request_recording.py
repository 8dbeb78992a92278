"""Converts a request of a run to a recording, which the dashboard can replay.

A run stores less than a recording: the text of each chunk only in newer runs, and of the board only
its samples. The numbers are those of the run.
"""

from __future__ import annotations

from datetime import datetime

from tui.bench.model.records import Request
from tui.bench.store.chunk_words import unpacked
from tui.bench.store.document import trace_of
from tui.bench.store.request_timeline import MAX_TEXT_CHARS, NO_TIMES, ending, request_samples
from tui.bench.store.run_files import Loaded
from tui.core.text.sanitize import clean, clean_line
from tui.core.types import GenerationSettings, NumberSource
from tui.history.recordings import recording_of
from tui.history.records import Origin
from tui.history.transfer import PlainConversation, PlainTurn
from tui.recording.reading import Recording

MAX_NAME_CHARS = 120
NO_PROMPT = "(the prompt was not kept)"


def request_recording(loaded: Loaded, request: Request) -> Recording:
    """The recording of a request and its answer. Raises ValueError with one sentence if the chunk
    times are unknown."""
    stamps, t0_ns = trace_of(request, loaded.stamps.get(request.key, ())).stamps_ns, request.t.t0_ns
    if not stamps or t0_ns is None:
        raise ValueError(NO_TIMES)
    text, thinking = (
        clean(one[:MAX_TEXT_CHARS]) for one in loaded.texts.get(request.key, ("", ""))
    )
    prompt = clean(loaded.prompts.get(request.key, "")[:MAX_TEXT_CHARS]) or NO_PROMPT
    status, error = ending(request)
    asked_ms = _wall_ms(request, loaded)
    answer = PlainTurn(
        "answer",
        "prompt",
        "assistant",
        text,
        asked_ms,
        thinking,
        status,
        error,
        _origin(loaded),
        GenerationSettings(max_tokens=max(request.tok.cap or 0, 0)),
        _numbers(request, loaded),
        tuple((t_ns - t0_ns) // 1000 for t_ns in stamps),
        tuple(
            request_samples(
                loaded.samples_of(request), t0_ns, max(request.t.te_ns or 0, stamps[-1])
            )
        ),
        unpacked(loaded.chunk_ends.get(request.key, "")),
    )
    asked = PlainTurn("prompt", None, "user", prompt, asked_ms)
    title = clean_line(request.name or request.id, MAX_NAME_CHARS)
    return recording_of(PlainConversation("", title, asked_ms, (asked, answer), "answer"))


def _origin(loaded: Loaded) -> Origin:
    document = loaded.document
    server = document.env.server.name
    return Origin(
        clean_line(document.model.name, MAX_NAME_CHARS),
        None if server is None else clean_line(server, MAX_NAME_CHARS),
        quantisation=document.model.quant,
        context_tokens=document.model.ctx,
        is_simulated=document.run.simulated,
    )


def _wall_ms(request: Request, loaded: Loaded) -> int:
    """When it was sent (UNIX, ms); 0 if neither request nor run have the time."""
    return _ms_of(request.t.wall) or _ms_of(loaded.document.run.started_utc) or 0


def _ms_of(said: str) -> int | None:
    try:
        return round(datetime.fromisoformat(said.replace("Z", "+00:00")).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None


def _numbers(request: Request, loaded: Loaded) -> dict[str, object]:
    """Its numbers, with the names of :class:`tui.core.turn.result.TurnResult`."""
    measured = request.m
    sources: dict[str, NumberSource] = {"client": "measured", "runtime": "runtime"}
    has_rate, is_first_sure = request.rate_tps is not None, not request.is_ttft_estimated
    rate_source = "estimated" if request.is_rate_estimated else "measured"
    if measured.get("decode_tps_rt") is not None:
        rate_source = "runtime"
    return {
        "finish": request.finish,
        "ttft_ms": measured.get("ttft_client_ms"),
        "ttft_source": "measured" if is_first_sure else "estimated",
        "ttft_includes": list(request.ttft_includes),
        "latency_ms": measured.get("latency_ms"),
        "queue_ms": measured.get("queue_ms"),
        "tokens_out": request.tok.out,
        "tokens_source": sources.get(request.tok.source, "estimated"),
        "decode_tps": request.rate_tps,
        "decode_source": rate_source if has_rate else "unknown",
        "prompt_tokens": request.tok.input,
        "context_tokens": loaded.document.model.ctx,
        "context_source": sources.get(request.tok.in_source, "estimated"),
        "chunks": request.tok.chunks,
        "is_at_limit": request.status == "capped",
    }
