"""Messages of a transcript to its app; handlers are named ``on_transcript_...``."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message
from textual.widget import Widget


@dataclass
class TranscriptMessage(Message, namespace="transcript"):
    """A message of a transcript."""

    transcript: Widget

    @property
    def control(self) -> Widget:
        return self.transcript


@dataclass
class FollowChanged(TranscriptMessage, namespace="transcript"):
    """Whether the view stays at the end, and how many rows came below it since it does not."""

    is_following: bool
    new_lines: int


@dataclass
class SearchRequested(TranscriptMessage, namespace="transcript"):
    """The user wants to type a pattern; the app has the line for it."""


@dataclass
class SearchChanged(TranscriptMessage, namespace="transcript"):
    """Where a search stands: which match is shown, from 1 (0 for none), and how many are."""

    pattern: str
    position: int
    count: int


@dataclass
class CopyRequested(TranscriptMessage, namespace="transcript"):
    """The user wants this text in the clipboard. ``what`` names it: answer, code block."""

    text: str
    what: str
