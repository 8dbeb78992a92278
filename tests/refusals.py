"""Calls that may refuse their input: what comes back is then the error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
Refusal = TypeVar("Refusal", bound=Exception)


def result_or_refusal(
    refusal: type[Refusal], call: Callable[[], Result]
) -> tuple[Result | None, Refusal | None]:
    """(result, None), or (None, error) for an error of this type; raises any other one."""
    try:
        return call(), None
    except refusal as error:
        return None, error
