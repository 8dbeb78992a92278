"""An answer streamed into ``Markdown`` through Textual's own stream helper, a write per token."""

from __future__ import annotations

from textual import on, work
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Markdown

from benchmarks.references.source import Source, pieces, source_argument


class MarkdownReference(App[None]):
    """A scrolled Markdown that follows its end, and a prompt."""

    CSS = "VerticalScroll { height: 1fr; }"

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Markdown(open_links=False)
        yield Input()

    @on(Input.Submitted)
    def ask(self, event: Input.Submitted) -> None:
        event.input.clear()
        self.query_one(VerticalScroll).anchor()
        self.answer(event.value)

    @work(exclusive=True)
    async def answer(self, prompt: str) -> None:
        stream = Markdown.get_stream(self.query_one(Markdown))
        try:
            async for text in pieces(self._source, prompt):
                await stream.write(text)
        finally:
            await stream.stop()


if __name__ == "__main__":
    MarkdownReference(source_argument()).run()
