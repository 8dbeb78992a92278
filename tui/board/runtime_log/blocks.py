"""Parser for the log of librkllmrt: one block of numbers per answer, and facts per model load.

With ``RKLLM_LOG_LEVEL=1`` in the server's environment, the runtime prints a table after each answer
(SDK manual of RKLLM 1.3.0, section 3.3.3). Its rows are "stage, total ms, tokens, ms per token,
tokens per second". Two servers write the same numbers into their own log without the variable.
Wide numbers shift the columns, journals strip blanks, and a line may follow the model's text
without a line break. So rows are recognised by their words, not by their columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from tui.core.board.load_facts import LoadFacts

MAX_LINE_CHARS = 4096
MAX_ROWS_APART = 30
"""Most lines between the rows of one block, as other threads write to the same log."""
GIB, MIB = 1 << 30, 1 << 20

_MARK = "I rkllm:"
_NUMBER = r"[0-9]{1,12}(?:\.[0-9]{1,17})?"
_ROW = re.compile(
    rf"\s*(Prefill|Generate)\s+({_NUMBER})\s+([0-9]{{1,9}})\s+({_NUMBER})\s+({_NUMBER}|inf)\s*"
)
_INIT_ROW = re.compile(rf"\s*(?:Init|Model init time \(ms\))\s+({_NUMBER})(?:\s+/)*\s*")
_MEMORY_HEAD = re.compile(r"\s*(?:Peak )?Memory Usage \((GB|MB)\)\s*")
_MEMORY_VALUE = re.compile(rf"\s*({_NUMBER})\s*")
_DICT_LINE = re.compile(
    rf"'prefill_time_ms': ({_NUMBER}), 'prefill_tokens': ([0-9]{{1,9}}), "
    rf"'generate_time_ms': ({_NUMBER}), 'generate_tokens': ([0-9]{{1,9}})"
    rf"(?:, 'memory_usage_mb': ({_NUMBER}))?"
)
_PERF_LINE = re.compile(
    rf"\[([A-Za-z0-9_-]{{1,64}})\] Perf: prefill=({_NUMBER})ms \(([0-9]{{1,9}}) tok\), "
    rf"generate=({_NUMBER})ms \(([0-9]{{1,9}}) tok\)(?:, mem=({_NUMBER})MB)?"
)
_CACHE_BEFORE = re.compile(r"current kv cache size: ([0-9]{1,9})")
_CACHE_ADDED = re.compile(r"newly added user cache size is ([0-9]{1,9})")
_VERSION = re.compile(
    r"rkllm-runtime version: ([\w.]{1,24}), rknpu driver version: ([\w.]{1,24}), "
    r"platform: (\w{1,16})"
)
_MODEL = re.compile(
    r"rkllm-toolkit version: ([\w.]{1,24}), max_context_limit: ([0-9]{1,9}), "
    r"npu_core_num: ([0-9]{1,3}), target_platform: \w{1,16}(?:, model_dtype: (\w{1,24}))?"
)
_CPUS = re.compile(r"Enabled cpus: \[([0-9, ]{1,120})\]")

BlockSource = Literal["table", "rockchipllama", "rkllm-api-server"]


@dataclass(frozen=True, slots=True)
class RuntimeBlock:
    """The runtime's own numbers of one answer.

    ``prefill_tokens`` counts the tokens that were computed: fewer than the prompt has if the prefix
    cache was used. ``decode_tokens`` counts decode steps; the first token of an answer comes from
    prefill. ``load_ms`` is the time of a model load before this answer. ``peak_bytes`` is the peak
    memory use. ``time_s`` is when the last row was written (UNIX), None if the log has no times.
    ``response_id`` is the server's id of the answer, if it logs one.
    """

    prefill_ms: float
    prefill_tokens: int
    decode_ms: float
    decode_tokens: int
    source: BlockSource
    load_ms: float | None = None
    peak_bytes: int | None = None
    cache_tokens: int | None = None
    pid: int | None = None
    time_s: float | None = None
    response_id: str | None = None

    @property
    def prefill_tps(self) -> float | None:
        """Computed prompt tokens per second; None if none were computed or no time was logged."""
        return _rate(self.prefill_tokens, self.prefill_ms)

    @property
    def decode_tps(self) -> float | None:
        """Decode steps per second; None if nothing was decoded (embeddings)."""
        return _rate(self.decode_tokens, self.decode_ms)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log, with the time (UNIX, s) and the pid if the log gives them."""

    text: str
    time_s: float | None = None
    pid: int | None = None


def _rate(tokens: int, ms: float) -> float | None:
    return tokens / (ms / 1e3) if ms > 0 and tokens > 0 else None


def blocks(lines: Iterable[LogLine]) -> list[RuntimeBlock]:
    """All complete blocks in the order of the log; incomplete ones are skipped."""
    found: list[RuntimeBlock] = []
    reader = _TableReader(found)
    for line in lines:
        text = line.text[-MAX_LINE_CHARS:]
        own = _own_line(text)
        if own is not None:
            found.append(replace(own, pid=line.pid, time_s=line.time_s))
            continue
        reader.feed(line, text)
    return found


def load_facts(lines: Iterable[LogLine]) -> LoadFacts:
    """The facts of the last model load in these lines."""
    facts = LoadFacts()
    for line in lines:
        text = line.text[-MAX_LINE_CHARS:]
        if version := _VERSION.search(text):
            # The first line of a load: facts of an earlier load do not apply to it.
            facts = LoadFacts(runtime=version[1], driver=version[2], platform=version[3])
        elif model := _MODEL.search(text):
            facts = replace(
                facts,
                toolkit=None if model[1] == "unknown" else model[1],
                context_limit=int(model[2]),
                npu_cores=int(model[3]),
                data_type=model[4],
            )
        elif cpus := _CPUS.search(text):
            numbers = [word for word in cpus[1].replace(",", " ").split() if len(word) <= 4]
            facts = replace(facts, cpus=tuple(int(number) for number in numbers))
    return facts


def _own_line(text: str) -> RuntimeBlock | None:
    """The block of a line in which a server logs the numbers itself; None for another line."""
    if match := _PERF_LINE.search(text):
        name, prefill_ms, prefill_tokens, decode_ms, decode_tokens, memory_mib = match.groups()
        source: BlockSource = "rkllm-api-server"
    elif match := _DICT_LINE.search(text):
        name = None
        prefill_ms, prefill_tokens, decode_ms, decode_tokens, memory_mib = match.groups()
        source = "rockchipllama"
    else:
        return None
    return RuntimeBlock(
        prefill_ms=float(prefill_ms),
        prefill_tokens=int(prefill_tokens),
        decode_ms=float(decode_ms),
        decode_tokens=int(decode_tokens),
        source=source,
        peak_bytes=None if memory_mib is None else round(float(memory_mib) * MIB),
        response_id=name,
    )


@dataclass(frozen=True, slots=True)
class _Row:
    ms: float
    tokens: int


class _TableReader:
    """Builds blocks from the rows of the runtime's table. Rows of two processes are never mixed."""

    def __init__(self, found: list[RuntimeBlock]) -> None:
        self._found = found
        self._prefill: _Row | None = None
        self._load_ms: float | None = None
        self._cache_tokens: int | None = None
        self._rows_apart = 0
        self._pid: int | None = None
        self._at: int | None = None
        """Index of the block whose memory or cache line may still follow."""
        self._memory_unit: int | None = None

    def feed(self, line: LogLine, text: str) -> None:
        self._rows_apart += 1
        if line.pid != self._pid:
            self._forget()
            self._pid = line.pid
        payload = _payload(text)
        if row := _ROW.fullmatch(payload):
            self._row(line, row)
        elif init := _INIT_ROW.fullmatch(payload):
            self._load_ms = float(init[1])
        elif unit := _MEMORY_HEAD.fullmatch(payload):
            self._memory_unit = GIB if unit[1] == "GB" else MIB
        elif self._memory_unit is not None and (value := _MEMORY_VALUE.fullmatch(payload)):
            self._amend(peak_bytes=round(float(value[1]) * self._memory_unit))
            self._memory_unit = None
        elif before := _CACHE_BEFORE.search(payload):
            self._cache_tokens = int(before[1])
        elif added := _CACHE_ADDED.search(payload):
            self._amend(cache_tokens=(self._cache_tokens or 0) + int(added[1]))
        elif _VERSION.search(text):
            self._forget()

    def _row(self, line: LogLine, row: re.Match[str]) -> None:
        stage, ms, tokens = row[1], float(row[2]), int(row[3])
        if not _is_consistent(ms, tokens, float(row[4]), row[5]):
            self._forget()
        elif stage == "Prefill":
            self._prefill, self._rows_apart, self._at = _Row(ms, tokens), 0, None
        elif self._prefill is not None and self._rows_apart <= MAX_ROWS_APART:
            prefill, self._prefill = self._prefill, None
            self._at = len(self._found)
            self._found.append(
                RuntimeBlock(
                    prefill_ms=prefill.ms,
                    prefill_tokens=prefill.tokens,
                    decode_ms=ms,
                    decode_tokens=tokens,
                    source="table",
                    load_ms=self._load_ms,
                    pid=line.pid,
                    time_s=line.time_s,
                )
            )
            self._load_ms = None

    def _amend(self, **changes: int) -> None:
        if self._at is not None:
            self._found[self._at] = replace(self._found[self._at], **changes)  # type: ignore[arg-type]

    def _forget(self) -> None:
        self._prefill = self._load_ms = self._cache_tokens = self._at = self._memory_unit = None


def _payload(text: str) -> str:
    """The text after the last ``I rkllm:``, which runtimes before 1.2 do not write."""
    text = text.rstrip("\r\n")
    at = text.rfind(_MARK)
    return text if at < 0 else text[at + len(_MARK) :]


def _is_consistent(ms: float, tokens: int, ms_per_token: float, per_second: str) -> bool:
    """Whether the columns of a row agree. A model's answer may contain text like a row."""
    if tokens == 0 or ms == 0:
        return ms_per_token == 0 or tokens > 0
    if abs(ms / tokens - ms_per_token) > 0.0101:
        return False
    if per_second == "inf":
        return False
    return abs(float(per_second) - tokens / (ms / 1e3)) <= 0.01 * tokens / (ms / 1e3) + 0.0051
