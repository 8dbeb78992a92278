"""Feeds the answer of a running benchmark to a transcript."""

from __future__ import annotations

from tui.bench.model.screen import LiveText, RunView
from tui.widgets.transcript.transcript import Transcript


class AnswerFeed:
    """Call :meth:`show` with each new view; only new text costs time."""

    def __init__(self) -> None:
        self._shown = LiveText(serial=-1)
        self._taken = 0
        """Characters of the text that the transcript has, dropped ones included."""
        self._request: tuple[str, int, bool] | None = None

    def show(self, run: RunView, transcript: Transcript) -> None:
        """The text of the answer in flight, or of the last one."""
        live, answer = run.text, run.answer
        if answer is None:
            return
        asked = answer.started
        request = (asked.id, asked.number, asked.is_warmup)
        goes_on = self._shown.is_thinking and not live.is_thinking and not self._shown.is_over
        end = live.dropped + len(live.text)
        if live.serial != self._shown.serial or end < self._taken:
            if not (goes_on and request == self._request):
                transcript.clear()
                transcript.begin(asked.name or asked.id, label="asked")
            self._request, self._taken = request, 0
            self._shown = LiveText(serial=live.serial)
        if end > self._taken:
            new = live.text[max(self._taken - live.dropped, 0) :]
            transcript.append(new, "thinking" if live.is_thinking else "text")
            self._taken = end
        if live.is_over and not self._shown.is_over:
            transcript.end("")
        self._shown = live
