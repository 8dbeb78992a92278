"""The smallest Textual program that accepts keys: only an ``Input``."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Input


class Bare(App[None]):
    """One line to type in."""

    def compose(self) -> ComposeResult:
        yield Input()


if __name__ == "__main__":
    Bare().run()
