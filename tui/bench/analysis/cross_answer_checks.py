"""Checks across answers: translations against the English answer, and determinism."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

import msgspec

from tui.bench.checks import languages
from tui.bench.checks.loops import pieces_of
from tui.bench.model.records import Check, Request
from tui.bench.model.suite import Suite

Key = tuple[str, int]
Texts = Mapping[Key, tuple[str, str]]


def checked(
    requests: Sequence[Request], texts: Texts, suite: Suite, *, is_greedy: bool
) -> tuple[Request, ...]:
    """The requests with the checks that compare answers added.

    ``texts`` has (answer, thinking) by request key. ``is_greedy``: temperature 0, so that
    determinism is checked too.
    """
    found = _against_english(requests, texts, suite)
    return _determinism(found, texts) if is_greedy else found


def _with(request: Request, check: Check) -> Request:
    return msgspec.structs.replace(request, checks=(*request.checks, check))


def _against_english(
    requests: Sequence[Request], texts: Texts, suite: Suite
) -> tuple[Request, ...]:
    """Each translation against the English answer to the same task."""
    prompts = {p.id: p for p in suite.prompts if p.task and p.language}
    english = {
        (prompts[r.id].task, r.rep): texts.get(r.key, ("", ""))[0]
        for r in requests
        if r.id in prompts and prompts[r.id].language == "en" and r.is_scored
    }
    out = []
    for request in requests:
        prompt = prompts.get(request.id)
        source = english.get((prompt.task, request.rep)) if prompt is not None else None
        if prompt is None or prompt.language == "en" or source is None or not request.is_scored:
            out.append(request)
            continue
        text = texts.get(request.key, ("", ""))[0]
        passed, detail = languages.against_english(source, text, prompt.task)
        if passed is False and request.status == "capped":
            passed, detail = None, f"cut by the token limit; {detail}"
        out.append(_with(request, Check(id="against_english", passed=passed, detail=detail)))
    return tuple(out)


def _determinism(requests: Sequence[Request], texts: Texts) -> tuple[Request, ...]:
    """Compare each repetition with the first answer to the same prompt.

    Greedy decoding should give equal answers. A difference is information about the runtime, not a
    failure.
    """
    first: dict[str, Request] = {}
    out = []
    for request in requests:
        sha = request.prompt_sha256
        text = texts.get(request.key, ("", ""))[0]
        if not request.is_scored or not sha or not text or request.target_in is not None:
            out.append(request)
            continue
        before = first.setdefault(sha, request)
        if before is request:
            out.append(request)
            continue
        mine, other = pieces_of(text), pieces_of(texts.get(before.key, ("", ""))[0])
        pairs = zip(mine, other, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        check = Check(
            id="determinism",
            passed=mine == other,
            detail=f"the first {same} of {len(mine)} words and signs equal the first answer's",
            info=True,
        )
        out.append(_with(request, check))
    return tuple(out)
