"""A program that sends texts through every door of a transcript in a real terminal, and ends.

`python -m tests.widgets.transcript.flood hostile|harmless`
"""

from __future__ import annotations

import sys

from tests.core.hostile import HOSTILE
from tests.widgets.transcript.screen import TranscriptApp


class Flood(TranscriptApp):
    """One turn for each text, one a tick."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__()
        self.texts = texts

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(1 / 30, self.tick)

    def tick(self) -> None:
        if not self.texts:
            self.exit()
            return
        sample = self.texts.pop(0)
        view = self.transcript
        view.set_notice([sample])
        view.begin(sample, label=sample[:20], model=sample[:40])
        view.live_turn.set_status(sample[:200])
        view.append(sample[:2000], "thinking")
        view.toggle_thinking()
        view.append(f"{sample[:3000]}\n\n```\n{sample[:500]}\n```\n\n# {sample[:200]}")
        view.search(sample[:9])
        view.end(sample[:300], error=sample[:300], thinking_note=sample[:99])


def main() -> None:
    texts = list(HOSTILE.values())
    if sys.argv[1] == "harmless":
        texts = [f"harmless {n}" for n in range(len(texts))]
    Flood(texts).run()


if __name__ == "__main__":
    main()
