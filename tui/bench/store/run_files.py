"""Files of a run: token times, board samples, prompts and answers."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tui.bench.model import records
from tui.bench.model.events import Sampled
from tui.bench.model.records import Document, Request
from tui.bench.model.suite import Suite
from tui.bench.store.runs import RUN_FILE, slug
from tui.files.private import read_regular, write_whole

TOKENS_FILE = "tokens.csv.gz"
HARDWARE_FILE = "hardware.csv.gz"
OUTPUTS = "outputs"

Key = tuple[str, int]


@dataclass(slots=True)
class Loaded:
    """A loaded run: its document, texts, chunk times and samples."""

    document: Document
    folder: Path | None = None
    suite: Suite | None = None
    texts: dict[Key, tuple[str, str]] = field(default_factory=dict)
    prompts: dict[Key, str] = field(default_factory=dict)
    stamps: dict[Key, tuple[int, ...]] = field(default_factory=dict)
    chunk_ends: dict[Key, str] = field(default_factory=dict)
    """:attr:`tui.bench.model.events.RequestEnded.chunk_ends` of each request that has them."""
    samples: list[Sampled] = field(default_factory=list)
    """Samples of a run on one board."""
    board_samples: dict[str, list[Sampled]] = field(default_factory=dict)
    """Samples by board in a run on several; each board has a clock of its own."""
    damaged: int = 0

    def samples_of(self, request: Request) -> list[Sampled]:
        """All samples of the request's board."""
        return self.board_samples.get(request.board, []) if request.board else self.samples


def in_suite_order(loaded: Loaded) -> list[Request]:
    """The requests in the order of the suite's prompts and of repetitions (they ran shuffled)."""
    names = () if loaded.suite is None else loaded.suite.prompts
    place = {prompt.id: at for at, prompt in enumerate(names)}
    requests = loaded.document.requests
    return sorted(requests, key=lambda r: (place.get(r.id, len(place)), r.rep))


def read_outputs(loaded: Loaded) -> None:
    """Read the texts of prompts and answers from the run's files; missing files are skipped."""
    if loaded.folder is None:
        return
    for request in loaded.document.requests:
        text, thinking, prompt = (
            _side_file(loaded.folder, ref)
            for ref in (request.output_ref, request.thinking_ref, request.prompt_ref)
        )
        loaded.texts[request.key] = (text or "", thinking or "")
        if prompt is not None:
            loaded.prompts[request.key] = prompt


def _side_file(folder: Path, ref: str | None) -> str | None:
    if ref is None or ".." in Path(ref).parts or Path(ref).is_absolute():
        return None
    try:
        return read_regular(folder / ref).decode("utf-8", "replace")
    except OSError:
        return None


def save(loaded: Loaded, folder: Path) -> None:
    """Write run.json, chunk times, samples, prompts and answers. Raises OSError."""
    loaded.document = with_references(loaded)
    if loaded.stamps:
        write_whole(folder / TOKENS_FILE, tokens_csv(loaded.document.requests, loaded.stamps))
    if loaded.samples:
        write_whole(folder / HARDWARE_FILE, samples_csv(loaded.samples))
    for request in loaded.document.requests:
        for ref, content in zip(_references(request), _contents(loaded, request), strict=True):
            if content:
                write_whole(folder / ref, content.encode("utf-8", "replace"))
    write_whole(folder / RUN_FILE, records.encode(loaded.document))


def _references(request: Request) -> tuple[str, str, str]:
    """File names of prompt, answer and thinking, relative to the run's folder."""
    stem = f"{OUTPUTS}/{slug(request.id)}.{request.rep}"
    return f"{stem}.prompt.txt", f"{stem}.output.txt", f"{stem}.thinking.txt"


def _contents(loaded: Loaded, request: Request) -> tuple[str, str, str]:
    return (loaded.prompts.get(request.key, ""), *loaded.texts.get(request.key, ("", "")))


def with_references(loaded: Loaded) -> Document:
    """The document with the names of the run's files."""

    def named(request: Request) -> Request:
        prompt, output, thinking = (
            ref if content else None
            for ref, content in zip(_references(request), _contents(loaded, request), strict=True)
        )
        series = TOKENS_FILE if loaded.stamps.get(request.key) else None
        return msgspec.structs.replace(
            request,
            prompt_ref=prompt,
            output_ref=output,
            thinking_ref=thinking,
            itl_ms=msgspec.structs.replace(request.itl_ms, series_ref=series),
        )

    document = loaded.document
    return msgspec.structs.replace(
        document,
        requests=tuple(named(request) for request in document.requests),
        hardware=HARDWARE_FILE if loaded.samples else document.hardware,
    )


def tokens_csv(requests: Iterable[Request], stamps: Mapping[Key, tuple[int, ...]]) -> bytes:
    """Gzipped CSV, one row per chunk: request, repetition, number, time, gap."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(("request", "rep", "i", "t_ns", "gap_ms"))
    for request in requests:
        before: int | None = None
        for number, t_ns in enumerate(stamps.get(request.key, ()), 1):
            gap = "" if before is None else f"{(t_ns - before) / 1e6:.3f}"
            write((request.id, request.rep, number, t_ns, gap))
            before = t_ns
    return gzip.compress(out.getvalue().encode(), 6, mtime=0)


def samples_csv(samples: Sequence[Sampled]) -> bytes:
    """Gzipped CSV, one row per sample, one column per reading that has a value in any."""
    names = list(dict.fromkeys(name for sample in samples for name in sample.values))
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(("t_ns", *names))
    for sample in samples:
        values = (sample.values.get(name) for name in names)
        write((sample.t_ns, *("" if value is None else value for value in values)))
    return gzip.compress(out.getvalue().encode(), 6, mtime=0)
