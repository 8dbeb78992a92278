"""Published benchmark figures with their sources, for comparison."""

from __future__ import annotations

import re
from importlib import resources

import msgspec
import tomli

SIMILAR_SHARE = 0.35
"""Models whose number of parameters differs by at most this share are similar."""
_BILLIONS = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,2})?)\s*b(?![a-z0-9])", re.IGNORECASE)
_MILLIONS = re.compile(r"(?<![\d.])(\d{2,4})\s*m(?![a-z0-9])", re.IGNORECASE)


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of published figures; None for what was not published."""

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
        """Model, SoC and source in one line."""
        size = f"{self.billions:g}B"
        return f"{self.model} {size} {self.dtype}, {self.soc}, {self.source} ({self.release})"


class _File(msgspec.Struct, frozen=True):
    row: tuple[Row, ...]


# Created at import, under its lock: see the decoder in tui/bench/model/records.py.
_decoder = msgspec.json.Decoder(_File)


def rows() -> tuple[Row, ...]:
    """All rows of reference.toml."""
    data = resources.files("tui.bench").joinpath("reference.toml").read_text("utf-8")
    return msgspec.convert(tomli.loads(data), _File).row


def billions_in(name: str) -> float | None:
    """Billions of parameters, from a model's name (4b, 0.6B, 270m); None if it has none."""
    match = _BILLIONS.search(name)
    if match is not None:
        return float(match[1])
    match = _MILLIONS.search(name)
    return None if match is None else float(match[1]) / 1000


def family_in(name: str) -> str:
    """The family in a model's name, such as qwen3; empty if there is none."""
    match = re.match(r"[a-z]+[ _-]?[0-9.]*", name.lower())
    return "" if match is None else match[0].replace("-", "").replace("_", "").replace(" ", "")


def nearest(
    name: str, *, soc: str | None, dtype: str | None, source: str = "Rockchip", limit: int = 3
) -> list[tuple[Row, bool]]:
    """Rows of the same or a similar model, as (row, whether it is the same model), best first.

    Only rows for the same SoC and data type; of a model the row of the newest release. Empty if the
    name does not give the number of parameters. ``soc`` and ``dtype`` default to rk3588 and w8a8.
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
