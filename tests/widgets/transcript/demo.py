"""Look at it: `python -m tests.widgets.transcript.demo [--rate TPS] [--ascii] [--empty]`."""

from __future__ import annotations

import argparse
import re

from tests.widgets.transcript.screen import TranscriptApp, text, thinking
from tui.core.types import Segment

FIRST = """Each new token reads every weight once, so the time per token is close to model size
divided by memory bandwidth:

- **weights**  4.6 GB, read for every token
- **KV cache**  144 KiB a token, read as context grows
- **activations**  small, stay on *chip*

```python
def rate(bandwidth, weights, kv, context):
    # 33.8 GB/s / 4.6 GB = 7.3 tok/s at best
    return bandwidth / (weights + kv * context)
```
"""
SECOND = """## What decides it

Three things decide it, in this order. The DDR clock comes first: at 528 MHz the same model runs at
half the rate it reaches at 2112 MHz, so check the `governor` before anything else.

1. Set the governor: `echo performance > /sys/class/devfreq/dmc/governor`
2. Use **w4a16** where it exists
   - fewer bytes
   - same *activations*
3. Keep the context short

| model | size | tok/s |
|:------|-----:|------:|
| qwen3-4b | 4.6 GB | 3.13 |
| qwen3-0.6b | 0.9 GB | 15.59 |
| gemma3-1b, with a rather long remark that has to wrap somewhere | 1.4 GB | 13.50 |

> The bandwidth is the wall, not the compute.

---

内存带宽决定了解码速度。每个新的词元都要读取全部权重，所以时间接近模型大小除以带宽。👩‍👩‍👧 🇩🇪 ok

See [the notes](https://example.org/notes) or <https://example.org>. ~~Not~~ true.

```c
/* a comment */
int main(void) { return puts("hello, this is a rather long line of code that has to wrap"); }
```
"""
THOUGHT = "The user asks about memory. Decode is a matrix-vector product, so bandwidth counts. " * 3


class Demo(TranscriptApp):
    BINDINGS = [
        ("q", "quit"),
        ("r", "raw"),
        ("m", "more"),
        ("n", "notice"),
    ]

    def __init__(self, rate: float, is_ascii: bool, is_fast: bool, answer: str) -> None:
        super().__init__(is_ascii=is_ascii)
        self.rate = rate
        self.is_fast = is_fast
        self.answer = answer
        self.queue: list[Segment] = []

    def on_mount(self) -> None:
        super().on_mount()
        view = self.transcript
        view.set_notice(
            [
                [("No server yet", "strong")],
                "",
                "Looked at :8021 to :8080 on this machine.",
                [("Start one, or type ", "soft"), ("npulse --demo", "live")],
            ]
        )
        if self.is_fast:
            view.past_turns.add(
                "why is decode memory-bound?",
                THOUGHT,
                FIRST,
                "41 s  128 tokens  3.14 tok/s  TTFT 1.25 s",
                thinking_note="thought for 12.3 s, 38 tokens",
            )
            view.begin("and what would make it faster on this board?")
            view.feed(thinking(THOUGHT))
            view.feed(text(self.answer))
        self.set_interval(1 / 15, self.tick)
        self.due = 0.0

    def tick(self) -> None:
        if not self.queue:
            return
        self.due += self.rate / 15
        count = int(self.due)
        self.due -= count
        batch, self.queue = self.queue[:count], self.queue[count:]
        self.transcript.feed(batch)
        if not self.queue:
            self.transcript.end("done  numbers", thinking_note="thought for 2 s, 60 tokens")

    def action_more(self) -> None:
        self.transcript.begin("tell me more")
        self.queue = thinking(*re.findall(r"\S+\s*", THOUGHT)) + text(
            *re.findall(r"\S+\s*|\s+", SECOND * 3)
        )

    def action_raw(self) -> None:
        self.transcript.toggle_raw()

    def action_notice(self) -> None:
        self.transcript.clear()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--empty", action="store_true")
    arguments = parser.parse_args()
    Demo(arguments.rate, arguments.ascii, not arguments.empty, SECOND).run()


if __name__ == "__main__":
    main()
