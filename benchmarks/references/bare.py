"""The least Textual program that takes keys: an ``Input``, nothing else."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Input


class Bare(App[None]):
    """One line to type in."""

    def compose(self) -> ComposeResult:
        yield Input()


if __name__ == "__main__":
    Bare().run()
