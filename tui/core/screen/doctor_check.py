"""Result of one check of ``npulse doctor``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckStatus = Literal["ok", "note", "attention"]
"""ok: as it should be. note: worth knowing, nothing to do. attention: something should be done."""


@dataclass(frozen=True, slots=True)
class Check:
    """Subject, status and fix of a check.

    ``command`` has an effect when it is run; ``advice`` is a sentence that explains it, or says
    what helps where no command does. Either may be None.

    ``id`` is stable (``npu.load``, ``server``), ``title`` a few words, ``detail`` one sentence.
    """

    id: str
    status: CheckStatus
    title: str
    detail: str
    command: str | None = None
    advice: str | None = None
