"""An answer appended to Textual's ``Log``, a write per token: no Markdown, no wrapping."""

from __future__ import annotations

from textual import on, work
from textual.app import App, ComposeResult
from textual.widgets import Input, Log

from benchmarks.references.source import Source, pieces, source_argument


class LogReference(App[None]):
    """A log that follows its end, and a prompt."""

    CSS = "Log { height: 1fr; }"

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def compose(self) -> ComposeResult:
        log = Log(auto_scroll=True)
        log.can_focus = False
        yield log
        yield Input()

    @on(Input.Submitted)
    def ask(self, event: Input.Submitted) -> None:
        event.input.clear()
        self.answer(event.value)

    @work(exclusive=True)
    async def answer(self, prompt: str) -> None:
        log = self.query_one(Log)
        async for text in pieces(self._source, prompt):
            log.write(text)


if __name__ == "__main__":
    LogReference(source_argument()).run()
