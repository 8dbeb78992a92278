"""The plan of a run: its requests, in an order that depends on the seed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tui.bench.model.suite import Prompt, Suite, filler_tokens, prompt_sha256
from tui.bench.run.filler import first_guess, text_of


@dataclass(frozen=True, slots=True)
class Task:
    """One planned request. ``wanted_in`` is the number of prompt tokens for filler."""

    prompt: Prompt
    rep: int
    order: int
    group: str
    wanted_in: int | None = None
    variant: str = ""
    """Seed of the filler: the same variant gives the same words, so that a cache can be tested."""

    @property
    def key(self) -> tuple[str, int]:
        return (self.prompt.id, self.rep)


def ordered(suite: Suite, runs: int, seed: int, context_tokens: int | None) -> list[Task]:
    """All requests: each repetition is a block of all prompts, shuffled with the seed."""
    rng = random.Random(f"{seed}:order")
    tasks: list[Task] = []
    for rep in range(runs):
        block = list(suite.prompts)
        if suite.shuffle:
            rng.shuffle(block)
        block = _by_prefix(suite, block, tasks[-1].prompt if tasks else None)
        for prompt in block:
            for group, variant in _parts(suite, prompt, rep):
                tasks.append(
                    Task(
                        prompt=prompt,
                        rep=_rep(suite, rep, group),
                        order=len(tasks),
                        group=group,
                        wanted_in=_wanted(prompt, context_tokens),
                        variant=variant,
                    )
                )
    return tasks


def _by_prefix(suite: Suite, block: list[Prompt], last: Prompt | None) -> list[Prompt]:
    """The prompts in the order that ``suite.prefix`` requires.

    ``together``: prompts with the same text in succession. ``apart``: none directly after one with
    the same text while others are left, the most frequent text first. ``last`` is the prompt before
    the block.
    """
    if suite.prefix == "any":
        return block
    groups: dict[str, list[Prompt]] = {}
    for prompt in block:
        groups.setdefault(_words_key(suite, prompt), []).append(prompt)
    if suite.prefix == "together":
        return [prompt for group in groups.values() for prompt in group]
    before = None if last is None else _words_key(suite, last)
    out: list[Prompt] = []
    for _ in block:
        others = [key for key, group in groups.items() if group and key != before]
        before = max(others or [before or ""], key=lambda key: len(groups[key]))
        out.append(groups[before].pop(0))
    return out


def _words_key(suite: Suite, prompt: Prompt) -> str:
    return prompt_sha256(suite.full_text(prompt), prompt.system, prompt.history)


def endless(suite: Suite) -> Iterator[Task]:
    """The prompts, repeated without end, for a run by time."""
    order = 0
    while True:
        for prompt in suite.prompts:
            rep = order // len(suite.prompts)
            wanted = _wanted(prompt, None)
            yield Task(prompt, rep, order, prompt.group, wanted, f"{prompt.id}:{rep}")
            order += 1


def _parts(suite: Suite, prompt: Prompt, rep: int) -> Iterable[tuple[str, str]]:
    """(group, variant) of the requests for one prompt: two for the suites cache and load."""
    variant = f"{prompt.id}:{rep}"
    if suite.kind == "cache":
        return ((f"{prompt.id} cold", variant), (f"{prompt.id} warm", variant))
    if suite.kind == "load":
        return (("cold", variant), ("warm", variant))
    return ((prompt.group or (prompt.id if prompt.filler is not None else ""), variant),)


def _rep(suite: Suite, rep: int, group: str) -> int:
    """The number of the repetition; of a pair, the cold one is even and the warm one odd."""
    if suite.kind in ("cache", "load"):
        return 2 * rep + group.endswith("warm")
    return rep


def _wanted(prompt: Prompt, context_tokens: int | None) -> int | None:
    return None if prompt.filler is None else filler_tokens(prompt.filler, context_tokens)


def fits_context(task: Task, context_tokens: int | None) -> bool:
    """Whether prompt and answer fit in the context; True if that is unknown."""
    if context_tokens is None or task.wanted_in is None:
        return task.prompt.filler is None or task.wanted_in is not None
    return task.wanted_in + task.prompt.max_tokens <= context_tokens


def words_of(suite: Suite, task: Task, seed: int, corrections: dict[int, int]) -> str:
    """The text that is sent. ``corrections``: wanted prompt tokens -> calibrated number of
    words."""
    if task.prompt.filler is None:
        return suite.full_text(task.prompt)
    wanted = task.wanted_in or 0
    words = corrections.get(wanted, first_guess(wanted))
    return text_of(words, f"{seed}:{task.variant}")


def sha_of(suite: Suite, task: Task, seed: int) -> str:
    """SHA-256 of the request's texts, with uncalibrated filler."""
    words = words_of(suite, task, seed, {})
    return prompt_sha256(words, task.prompt.system, task.prompt.history)
