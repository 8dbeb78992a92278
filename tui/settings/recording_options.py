"""Options of a recording, and the recording session they make."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.core.turn.turn import Turn
    from tui.recording.recorder import RecordingSession


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """Where answers are recorded to, and what of them. ``is_masked``: without host and user name,
    addresses and paths."""

    path: Path
    is_masked: bool = True
    has_text: bool = True


def recording_options(options: argparse.Namespace) -> RecordingOptions | None:
    """What was asked for; None where nothing is recorded. Raises ValueError with one sentence."""
    if options.record is None:
        if options.unmasked or options.without_text:
            flag = "--unmasked" if options.unmasked else "--without-text"
            raise ValueError(f"{flag} says what is recorded; --record FILE says where to")
        return None
    return RecordingOptions(
        Path(options.record).expanduser(), not options.unmasked, not options.without_text
    )


def recording_session(
    options: RecordingOptions, on_problem: Callable[[str], None]
) -> RecordingSession:
    """Records answers as these options say. Raises ValueError where a file would be overwritten."""
    from tui.recording.recorder import RecordingSession
    from tui.recording.scrub import Scrubber

    return RecordingSession(
        options.path,
        _numbers,
        on_problem,
        scrubber=Scrubber.of_this_machine() if options.is_masked else None,
        has_text=options.has_text,
    )


def _numbers(turn: Turn, now_ns: int) -> Mapping[str, object]:
    """Those that the history keeps."""
    from tui.core.turn.result import result_of
    from tui.history.turn_json import numbers_of

    return numbers_of(result_of(turn, now_ns), turn.stats(now_ns))
