"""Answers that models give, in pieces as they arrive."""

from __future__ import annotations

import re

MIXED = """## What decides it

Three things decide it, in this order. The DDR clock comes first: at 528 MHz the same model runs at
half the rate it reaches at 2112 MHz, so check the `governor` **before** anything else.

1. Set the governor: `echo performance > /sys/class/devfreq/dmc/governor`
2. Use **w4a16** where it exists
   - fewer bytes
   - same *activations*
3. Keep the context short

| model | size | tok/s |
|:------|-----:|------:|
| qwen3-4b | 4.6 GB | 3.13 |
| gemma3-1b, with a rather long remark that has to wrap somewhere | 1.4 GB | 13.50 |

> The bandwidth is the wall, not the compute.
> And so on.

---

内存带宽决定了解码速度。每个新的词元都要读取全部权重，所以时间接近模型大小除以带宽。

See [the notes](https://example.org/notes) or <https://example.org>. ~~Not~~ true, `x` is x.

```python
def rate(bandwidth, weights, kv, context):
    # 33.8 GB/s / 4.6 GB = 7.3 tok/s at best
    text = "a rather long string that does not fit into one row of any terminal of eighty columns"

    return bandwidth / (weights + kv * context)
```

- [ ] one
- [x] two

Done.
"""


def pieces(text: str) -> list[str]:
    """A text as a model sends it: words with the blank before them, numbers by digit."""
    return re.findall(r" ?[A-Za-z]+|\d|\s+|[^\sA-Za-z\d]", text)
