"""Addresses where a server may be, as opposed to those that somebody named."""

from __future__ import annotations

from collections.abc import Sequence


class Guesses(tuple[str, ...]):
    """Ports of this machine that are worth a look.

    What answers at an address that was named is taken as meant, and spoken to as a plain OpenAI
    server where it is not recognised. At a guess only a server that is recognised counts: the
    rest is somebody's web page.
    """

    __slots__ = ()


def are_meant(urls: Sequence[str] | None) -> bool:
    """Whether somebody named these addresses."""
    return urls is not None and not isinstance(urls, Guesses)
