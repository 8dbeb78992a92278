"""CPU clusters (cores, clocks, limits) from the readings of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.board.reading import Snapshot


@dataclass(frozen=True, slots=True)
class Cluster:
    """CPUs that share a clock: a cpufreq policy. ``freq`` and ``cap`` (the limit now) are in Hz."""

    policy: str
    cpus: tuple[int, ...]
    freq: float | None
    cap: float | None
    governor: str | None
    is_big: bool


def clusters(snapshot: Snapshot) -> list[Cluster]:
    """The CPU clusters in the order in which the readings list their clocks."""
    names = [
        name.split(".")[1]
        for name in snapshot.readings
        if name.startswith("cpu.policy") and name.endswith(".cores")
    ]
    freqs, caps, tops = (
        snapshot.numbers(f"cpu.{name}") for name in ("freq", "cap_freq", "max_freq")
    )
    biggest = max((top or 0.0 for top in tops), default=0.0)
    found = []
    for number, policy in enumerate(names):
        top = tops[number] if number < len(tops) else None
        cpus = tuple(int(cpu) for cpu in snapshot.numbers(f"cpu.{policy}.cores") if cpu is not None)
        found.append(
            Cluster(
                policy,
                cpus,
                freqs[number] if number < len(freqs) else None,
                caps[number] if number < len(caps) else None,
                snapshot.text(f"cpu.{policy}.governor"),
                top is not None and top >= 0.85 * biggest,
            )
        )
    return found
