"""Numbers of earlier answers, for forecasts; no text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tui.core.expect.spread import middle_of

MIN_RATE_TOKENS = 16
"""Shorter answers say little about a rate."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The board while an answer was decoded. None is not known."""

    npu_hz: float | None = None
    """Median clock, as the two below."""
    ddr_hz: float | None = None
    cpu_hz: float | None = None
    """Of the big cores."""
    hottest_c: float | None = None
    """Of the SoC."""
    driver: str | None = None
    runtime: str | None = None
    """Versions of the NPU's driver and of librkllmrt."""

    def to_json_dict(self) -> dict[str, float | str]:
        """What is known of it."""
        values = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value for name, value in values if value is not None}


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """One answer that is over."""

    created_ms: int
    prompt_tokens: float | None
    """Our own estimate of the whole prompt: the next one is measured by the same rule."""
    new_tokens: float | None = None
    """Our estimate of its last message alone: what a server that keeps a conversation prefills."""
    cached_share: float | None = None
    """How much of the prompt the server had in its cache, where it told; 0 to 1."""
    is_follow_up: bool = False
    ttft_s: float | None = None
    """None where it is no prefill alone (loading, a queue) or not exact."""
    tokens: int = 0
    ms_per_token: float | None = None
    """Mean time of a decoding step; None where it is not sure."""
    depth: float | None = None
    """Mean context of these steps, in tokens."""
    is_whole: bool = False
    """The model ended it by itself."""
    is_thinking: bool = False
    conditions: Conditions = Conditions()


def past_answer(
    numbers: Mapping[str, object],
    *,
    created_ms: int,
    status: str | None,
    is_follow_up: bool,
    is_thinking: bool,
) -> PastAnswer:
    """From the numbers of an answer as the history keeps them, whatever is missing there."""
    reported = _number(numbers.get("prompt_tokens"))
    prompt = _number(numbers.get("prompt_estimate")) or reported
    tokens = int(_number(numbers.get("tokens_out")) or 0)
    return PastAnswer(
        created_ms=created_ms,
        prompt_tokens=prompt,
        new_tokens=_number(numbers.get("new_prompt_estimate")),
        cached_share=_cached_share(numbers, reported),
        is_follow_up=is_follow_up,
        ttft_s=_ttft_s(numbers),
        tokens=tokens,
        ms_per_token=_ms_per_token(numbers, tokens),
        depth=None if prompt is None else (reported or prompt) + tokens / 2,
        is_whole=status == "complete" and not numbers.get("is_at_limit"),
        is_thinking=is_thinking,
        conditions=conditions_from(numbers.get("conditions")),
    )


def conditions_from(value: object) -> Conditions:
    """From what :meth:`Conditions.to_json_dict` made, or from anything else."""
    if not isinstance(value, Mapping):
        return Conditions()
    words = {name: value.get(name) for name in ("driver", "runtime")}
    return Conditions(
        npu_hz=_number(value.get("npu_hz")),
        ddr_hz=_number(value.get("ddr_hz")),
        cpu_hz=_number(value.get("cpu_hz")),
        hottest_c=_number(value.get("hottest_c")),
        **{name: word if isinstance(word, str) else None for name, word in words.items()},
    )


def conditions_of(
    samples: Iterable[tuple[int, Mapping[str, float | None]]],
    first_ns: int,
    *,
    driver: str | None = None,
    runtime: str | None = None,
) -> Conditions:
    """From the board's samples of an answer (ns since the request, and the values of
    :func:`tui.core.board.history.series_values`) from its first token on."""
    series: dict[str, list[float]] = {}
    for t_ns, values in samples:
        if t_ns >= first_ns:
            for name, value in values.items():
                if value is not None:
                    kind = "cpu" if name.startswith("cpu.big.freq") else name
                    series.setdefault(kind, []).append(value)

    def middle(name: str) -> float | None:
        return middle_of(series[name]) if name in series else None

    return Conditions(
        npu_hz=middle("npu.freq"),
        ddr_hz=middle("ddr.freq"),
        cpu_hz=middle("cpu"),
        hottest_c=max(series.get("soc.temp", ()), default=None),
        driver=driver,
        runtime=runtime,
    )


def _ttft_s(numbers: Mapping[str, object]) -> float | None:
    ttft_ms = _number(numbers.get("ttft_ms"))
    if not ttft_ms or numbers.get("ttft_source") != "measured" or numbers.get("ttft_includes"):
        return None
    return None if numbers.get("is_buffered") else ttft_ms / 1000


def _ms_per_token(numbers: Mapping[str, object], tokens: int) -> float | None:
    rate_tps = _number(numbers.get("decode_tps"))
    if not rate_tps or tokens < MIN_RATE_TOKENS or numbers.get("is_rate_disputed"):
        return None
    return None if numbers.get("is_buffered") else 1000 / rate_tps


def _cached_share(numbers: Mapping[str, object], prompt: float | None) -> float | None:
    cached = numbers.get("cached_tokens")
    if not isinstance(cached, int) or not prompt:
        return None
    return min(max(cached / prompt, 0.0), 1.0)


def _number(value: object) -> float | None:
    """A finite number above zero."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < 1e15 else None
