"""Keeps one conversation of two answers: ``python -m tests.history.keeping FILE [LIMIT]``.

Prints how often it changed whether all is well, and whether the last word was that it is.
``LIMIT`` is the size in bytes above which no file grows (RLIMIT_FSIZE), as on a full disk.
"""

from __future__ import annotations

import resource
import sys
import time
from itertools import pairwise
from pathlib import Path

from tests.history.made import ORIGIN
from tests.history.streams import asked, end, feed
from tui.history import recorder
from tui.history.kept_answer import KeptAnswer, KeptConversation

PROMPTS = ("the first question", "the second question")
WORDS = tuple(f"word{n} " for n in range(16))


def keep(path: Path) -> list[str | None]:
    """What was told. Each answer is :data:`WORDS`."""
    recorder.EVERY_S = recorder.RETRY_S = 0.01
    said: list[str | None] = []
    kept = recorder.Recorder(path, said.append)
    conversation, last = KeptConversation(), None
    for prompt in PROMPTS:
        last = _answer(kept, conversation, last, prompt)
    kept.close()
    return said


def _answer(
    kept: recorder.Recorder, conversation: KeptConversation, last: KeptAnswer | None, prompt: str
) -> KeptAnswer:
    turn = asked(prompt)
    answer = kept.record(turn, ORIGIN, conversation, after=last)
    answer.is_stored.result(60)
    for word in WORDS:
        feed(turn, word)
        time.sleep(0.012)
    end(turn)
    deadline = time.monotonic() + 0.5
    while kept.is_busy and time.monotonic() < deadline:
        time.sleep(0.005)
    return answer


def main() -> None:
    if len(sys.argv) > 2:
        limit = int(sys.argv[2])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    said = keep(Path(sys.argv[1]))
    is_well = [problem is None for problem in (None, *said)]
    changes = sum(before != after for before, after in pairwise(is_well))
    print(changes, "well" if not said or said[-1] is None else said[-1])


if __name__ == "__main__":
    main()
