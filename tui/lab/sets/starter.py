"""The text of a new prompt set, and of one made from a prompt or from another tool's file."""

from __future__ import annotations

from collections.abc import Mapping

import tomli_w

STARTER = """\
# A prompt set for npulse lab. npulse lab run {name} sends every prompt with every case and variant.
title = "{title}"
repeats = 1
# shuffled, together (equal prompts in a row, so that a prompt cache is used), or apart
order = "shuffled"
max_tokens = 256
# fail_on = ["checks<100%"]      # npulse lab run exits with code 1 if this is true

[[prompt]]
id = "explain"
text = "Explain {{{{topic}}}} in at most {{{{words}}}} words."
[[prompt.check]]
kind = "words"
max = 60

[[case]]
id = "cache"
values = {{ topic = "a key-value cache", words = 40 }}

[[case]]
id = "governor"
values = {{ topic = "a CPU governor", words = 40 }}

[[variant]]
id = "plain"
temperature = 0.6

[[variant]]
id = "terse"
system = "You answer as briefly as you can."
temperature = 0.6

# A list or a range makes one variant per value:
# [[variant]]
# id = "warm"
# temperature = {{ from = 0.2, to = 1.0, steps = 5 }}

# A judge model rates the answers (not a check): npulse lab judge RUN
# [judge]
# rubric = "Is the answer correct and complete?"
# model = "qwen3-4b"
"""


def starter(name: str) -> str:
    """The text of a new set: a commented example."""
    return STARTER.format(name=name, title=name.replace("-", " "))


def as_toml(table: Mapping[str, object]) -> str:
    """A generated set as TOML text."""
    return tomli_w.dumps(table, multiline_strings=True)
