"""Starts ``npulse exporter`` as a process, and reads what it tells."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.app.npulse import REPOSITORY, environment

COMMAND = [sys.executable, "-m", "tui"]
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def variables(home: Path) -> dict[str, str]:
    return {name: value for name, value in environment(home).items() if value is not None}


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=variables(home),
        cwd=REPOSITORY,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


@contextmanager
def exporting(home: Path, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of the metrics, and the process."""
    process = subprocess.Popen(
        [*COMMAND, "exporter", "--listen", "127.0.0.1:0", "--interval", "1", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=variables(home),
        cwd=REPOSITORY,
    )
    try:
        assert process.stdout is not None
        greeting = process.stdout.readline()
        assert greeting.startswith("listening on "), process.communicate()[1]
        yield greeting.split()[-1], process
    finally:
        process.kill()
        process.communicate(timeout=60)


def scraped(url: str) -> Samples:
    return samples(httpx.get(url, timeout=20).text)


def samples(text: str) -> Samples:
    """Every sample by its name and sorted labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float | None:
    """The one sample of that name that has these labels among its own; None where there is none."""
    values = [
        number
        for (sample, own), number in found.items()
        if sample == name and labels.items() <= dict(own).items()
    ]
    assert len(values) <= 1, (name, labels, values)
    return values[0] if values else None
