"""Inline Markdown of a paragraph as spans: emphasis, code, links shown with their address.

Markdown can write any character as an entity (``&#27;``), so what the parser gives back is cleaned
once more: no control code comes out of here, whatever went in.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from tui.core.text.display import CellLen, display_text
from tui.core.text.sanitize import clean
from tui.widgets.transcript.flow import Span

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MARKED = re.compile(r"[*_`\[\]<&~\\!]")

_OPENING = {"strong_open": "strong", "em_open": "em", "s_open": "strike"}
_CLOSING = {"strong_close": "strong", "em_close": "em", "s_close": "strike"}


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """Imported when the first mark is met: a start without an answer does not pay for it."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("strikethrough")
    # What finds addresses in plain text is not in use here, and takes 0.3 MB.
    parser.linkify = None
    return parser


def inline_spans(source: str, role: str, cell_len: CellLen) -> list[Span]:
    """``source`` without its marks, as spans that play ``role`` and what the marks add to it."""
    if not _MARKED.search(source):
        return [(source, role)]
    tokens = _parser().parseInline(source)
    children = tokens[0].children if tokens else None
    if not children:
        return [(source, role)]
    spans: list[Span] = []
    added: list[str] = []
    link: list[tuple[str, int]] = []
    for token in children:
        kind = token.type
        if kind in _OPENING:
            added.append(_OPENING[kind])
        elif kind in _CLOSING:
            if _CLOSING[kind] in added:
                added.remove(_CLOSING[kind])
        elif kind == "link_open":
            link.append((str(token.attrs.get("href", "")), len(spans)))
        elif kind == "link_close":
            if link:
                spans += _address(link.pop(), spans, role, cell_len)
        else:
            text = _text_of(token, cell_len)
            roles = [role, *added, *(["inline-code"] if kind == "code_inline" else [])]
            spans.append((text, " ".join(roles)))
    return spans


def _text_of(token: Token, cell_len: CellLen) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    if token.type == "image":
        source = str(token.attrs.get("src", ""))
        return _safe(f"{token.content} ({source})" if token.content else source, cell_len)
    return _safe(token.content, cell_len)


def _address(link: tuple[str, int], spans: list[Span], role: str, cell_len: CellLen) -> list[Span]:
    """The address of a link behind its text, unless the text says it already."""
    address, first = link
    address = _safe(address, cell_len)
    text = "".join(text for text, _ in spans[first:])
    if not address or address.removeprefix("mailto:") == text:
        spans[first:] = [(text, f"{role} url")]
        return []
    return [(" (", role), (address, f"{role} url"), (")", role)]


def _safe(text: str, cell_len: CellLen) -> str:
    return display_text(clean(text), cell_len)
