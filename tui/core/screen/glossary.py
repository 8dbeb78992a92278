"""The glossary: every special word on screen and in reports, with its unit or formula.

The help (F1) draws this table and ``docs/glossary.md`` holds the same one.
"""

from __future__ import annotations

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("~", "an estimate: derived, not counted"),
    ("–", "not known; the reason stands beside it or in npulse board"),
    ("SIMULATED", "board and server are npulse's simulator; its figures say nothing of hardware"),
    ("prefill", "reading the prompt; tok/s: prompt tokens by the time until the first text"),
    ("decode", "writing the answer, one token after the other"),
    ("tok/s", "tokens after the first, by the time between first and last"),
    ("ø", "the average since the first token, in tok/s"),
    ("TTFT", "time to first token: from sending the request to its first text, at the socket"),
    ("ITL", "inter-token latency: the time between one token and the next, in ms"),
    ("p50/p99", "gap between tokens: half, and 99 of 100, are shorter"),
    ("median", "the middle value: half are smaller, half are larger"),
    ("stall", "a gap between two tokens of more than three median gaps"),
    ("burst", "several tokens that arrive at once; their times are those of the delivery"),
    ("ETA", "time until the answer ends: from earlier answers, or at most by its limit of tokens"),
    ("clock delayed", "npulse was over 20 ms late to read the answer: times are less exact"),
    ("roofline", "the highest decode rate that memory allows: DDR bytes/s by bytes read per token"),
    ("of what DDR allows", "the measured decode rate as a share of the roofline, in %"),
    ("headroom", "free RAM, and how long it lasts if it shrinks as now"),
    ("KV cache", "RAM that the tokens of a conversation take while the model answers"),
    ("context", "how many tokens, prompt and answer together, the model can hold"),
    ("prefix cache", "the server keeps a prompt's beginning: the same beginning is not read again"),
    ("w8a8, w4a16", "quantisation: bits of each weight (w) and of each activation (a)"),
    ("NPU, SoC, DDR", "the unit that runs the model, the chip that it is part of, the chip's RAM"),
    ("governor", "the kernel's rule that sets a clock: performance holds the highest one"),
    ("throttled", "a clock is held below its highest, by heat or by a limit"),
    ("memory pressure", "share of the time in which programs waited for RAM (PSI), in %"),
    ("MAD", "spread of a sample: median distance from the median, times 1.4826"),
    ("CI95", "95 % confidence interval, by resampling (bootstrap)"),
    ("CV", "coefficient of variation: standard deviation by mean"),
    ("MDC", "minimal detectable change in %: 2.8 x CV x sqrt(2/n); a smaller one may be chance"),
    ("p", "how often chance alone gives a difference at least this large, from 0 to 1"),
    ("p Holm", "p corrected, by Holm's method, for the number of metrics compared"),
    ("n", "how many values a figure is computed from"),
    ("baseline", "the run that another one is compared with"),
    ("warm-up", "requests before a run that are not counted"),
    ("cap", "the answer was ended by its limit of tokens; its rates still count"),
    ("gate", "a condition of board and server checked before a run or a request"),
    ("taint", "a mark on a request: something disturbed it, and its figures may be off"),
    ("detached", "it runs on without a terminal, and npulse can show it again"),
    ("variant", "one way of asking in the prompt lab: system prompt, model, settings"),
    ("judge", "a model that gives its opinion of another one's answers; it is no measurement"),
    ("determinism", "share of repeated prompts whose answers are equal to the letter, in %"),
)
"""Term and one plain sentence, in the order in which a reader meets them."""
