"""Published figures, with their sources."""

from __future__ import annotations

import re
from importlib import resources

import msgspec
import tomli

SIMILAR_SHARE = 0.35
"""A model of up to this much more or less parameters counts as a neighbour."""
_BILLIONS = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,2})?)\s*b(?![a-z0-9])", re.IGNORECASE)
_MILLIONS = re.compile(r"(?<![\d.])(\d{2,4})\s*m(?![a-z0-9])", re.IGNORECASE)


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One published row. What was not published is None."""

    source: str
    release: str
    soc: str
    model: str
    billions: float
    dtype: str
    prompt_tokens: int | None = None
    new_tokens: int | None = None
    ttft_ms: float | None = None
    prefill_ms: float | None = None
    prefill_tps: float | None = None
    decode_tps: float | None = None
    memory_mb: float | None = None
    note: str = ""

    @property
    def label(self) -> str:
        """Whose row it is, in one line."""
        size = f"{self.billions:g}B"
        return f"{self.model} {size} {self.dtype}, {self.soc}, {self.source} ({self.release})"


class _File(msgspec.Struct, frozen=True):
    row: tuple[Row, ...]


# Works the types out under the lock of the import; see the decoder of the records.
_decoder = msgspec.json.Decoder(_File)


def rows() -> tuple[Row, ...]:
    """Every reference row."""
    data = resources.files("tui.bench").joinpath("reference.toml").read_text("utf-8")
    return msgspec.convert(tomli.loads(data), _File).row


def billions_in(name: str) -> float | None:
    """Parameters in billions, as a model name says them: 4b, 0.6B, 270m."""
    match = _BILLIONS.search(name)
    if match is not None:
        return float(match[1])
    match = _MILLIONS.search(name)
    return None if match is None else float(match[1]) / 1000


def family_in(name: str) -> str:
    """The family of a model name, for a comparison with a row: qwen3, gemma3."""
    match = re.match(r"[a-z]+[ _-]?[0-9.]*", name.lower())
    return "" if match is None else match[0].replace("-", "").replace("_", "").replace(" ", "")


def nearest(
    name: str, *, soc: str | None, dtype: str | None, source: str = "Rockchip", limit: int = 3
) -> list[tuple[Row, bool]]:
    """(row, is it the same model) of the nearest rows by size; the same SoC and numbers only.

    Of several releases the newest row of a model is taken. Empty where the size is not known.
    """
    size = billions_in(name)
    if size is None:
        return []
    found: dict[tuple[str, float], Row] = {}
    for row in rows():
        is_near = abs(row.billions - size) <= SIMILAR_SHARE * size
        is_same_chip = row.soc == (soc or "rk3588") and row.dtype == (dtype or "w8a8")
        key = (row.model, row.billions)
        if row.source != source or not is_near or not is_same_chip:
            continue
        if key not in found or row.release > found[key].release:
            found[key] = row
    ranked = sorted(
        found.values(),
        key=lambda row: (not _is_same(name, size, row), abs(row.billions - size), row.model),
    )
    return [(row, _is_same(name, size, row)) for row in ranked[:limit]]


def _is_same(name: str, size: float, row: Row) -> bool:
    return family_in(name) == row.model.lower().replace("-", "") and row.billions == size
