"""Parses counters that servers report on their own routes; no I/O.

Only what says something about clients and their answers: what runs, what waits, tokens and times
so far.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from tui.core.screen.server_facts import ServerCounter
from tui.core.text import format as fmt
from tui.core.text.sanitize import clean_line
from tui.servers.dialects import llama_cpp, ollama, rkllama, rkllm_api_server
from tui.servers.dialects.dialect import Answer
from tui.servers.dialects.report import model_rows

MAX_CHARS = 60
MAX_MODELS = 4
_SAMPLE = re.compile(
    r"^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{[^}\n]*\})?[ \t]+([-+]?[0-9.eE+-]{1,40})", re.MULTILINE
)

Parse = Callable[[Answer], list[ServerCounter]]


@dataclass(frozen=True, slots=True)
class CounterRoute:
    """A GET and what its answer tells. It must answer at once, also while the server works."""

    path: str
    parse: Parse


def samples(text: str) -> dict[str, float]:
    """Prometheus' text format (its exposition formats, version 0.0.4) as name -> the sum of its
    samples; what cannot be read is left out."""
    found: dict[str, float] = {}
    for name, value in _SAMPLE.findall(text):
        with suppress(ValueError):
            found[name] = found.get(name, 0.0) + float(value)
    return found


def _metrics(answer: Answer, names: Mapping[str, str], means: Mapping[str, str]) -> list[
    ServerCounter
]:  # fmt: skip
    found = samples(answer.text)
    counters = [
        ServerCounter(label, f"{found[name]:g}", "/metrics")
        for name, label in names.items()
        if name in found
    ]
    for name, label in means.items():
        total, count = found.get(f"{name}_sum"), found.get(f"{name}_count")
        if total is not None and count:
            mean = f"{fmt.seconds(total / count)} mean of {count:g}"
            counters.append(ServerCounter(label, mean, "/metrics"))
    return counters


def _llama_cpp_metrics(answer: Answer) -> list[ServerCounter]:
    names = {
        "llamacpp:requests_processing": "requests answered now",
        "llamacpp:requests_deferred": "requests that wait",
        "llamacpp:prompt_tokens_total": "prompt tokens so far",
        "llamacpp:tokens_predicted_total": "tokens so far",
        "llamacpp:predicted_tokens_seconds": "tok/s, average",
        "llamacpp:prompt_tokens_seconds": "prefill tok/s, average",
    }
    return _metrics(answer, names, {})


def _slots(answer: Answer) -> list[ServerCounter]:
    light = llama_cpp.parse_busy(answer.json)
    if light is None:
        return []
    return [ServerCounter("slots in use", f"{light.n_running} of {light.n_places}", "/slots")]


def _api_server_metrics(answer: Answer) -> list[ServerCounter]:
    names = {
        "rkllm_active_requests": "requests answered now (may be too high)",
        "rkllm_tokens_generated_total": "tokens so far",
    }
    means = {
        "rkllm_queue_wait_seconds": "wait in the queue",
        "rkllm_prefill_duration_seconds": "prefill",
        "rkllm_decode_duration_seconds": "decode",
    }
    return _metrics(answer, names, means)


def _loaded(answer: Answer) -> list[ServerCounter]:
    """``GET /api/ps``: the models in memory, and when they were asked last where it tells that."""
    counters = []
    for name, row in list(model_rows(answer.json).items())[:MAX_MODELS]:
        used = row.get("last_call")
        shown = clean_line(name, MAX_CHARS)
        if isinstance(used, str) and used:
            shown += f", last asked {clean_line(used[:19], 19)}"
        counters.append(ServerCounter("loaded model", shown, "/api/ps"))
    return counters


ROUTES: Mapping[str, tuple[CounterRoute, ...]] = {
    llama_cpp.NAME: (
        CounterRoute("/slots", _slots),
        CounterRoute("/metrics", _llama_cpp_metrics),
    ),
    rkllm_api_server.NAME: (CounterRoute("/metrics", _api_server_metrics),),
    rkllama.NAME: (CounterRoute("/api/ps", _loaded),),
    ollama.NAME: (CounterRoute("/api/ps", _loaded),),
}
"""By the name of the dialect. Other servers tell nothing, or would have to be waited for."""


def parsed(route: CounterRoute, answer: Answer) -> list[ServerCounter]:
    """What an answer of this route tells; nothing where the route is switched off."""
    return route.parse(answer) if answer.is_ok else []
