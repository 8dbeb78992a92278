"""The roles that text of a transcript plays, their styles, and the marks drawn around it."""

from __future__ import annotations

from dataclasses import dataclass

ROLES = (
    "text",
    "soft",
    "dim",
    "you",
    "prompt",
    "live",
    "caret",
    "mark",
    "strong",
    "em",
    "strike",
    "inline-code",
    "url",
    "heading",
    "quote",
    "rule",
    "code",
    "code-keyword",
    "code-name",
    "code-string",
    "code-comment",
    "thinking",
    "warn",
    "bad",
    "footer",
    "badge",
    "match",
    "match-current",
    "thumb",
)
"""A role is drawn with the component class ``transcript--ROLE``; several can be combined."""

CSS = """
Transcript {
    overflow-x: hidden;
    overflow-y: scroll;
    scrollbar-size: 0 0;
    color: $foreground;
    &> .transcript--text { color: $foreground; }
    &> .transcript--soft { color: $soft; }
    &> .transcript--dim { color: $dim; }
    &> .transcript--you { color: $dim; }
    &> .transcript--prompt { color: $foreground; }
    &> .transcript--live { color: $live; }
    &> .transcript--caret { color: $live; }
    &> .transcript--mark { color: $live; }
    &> .transcript--strong { text-style: bold; }
    &> .transcript--em { text-style: italic; }
    &> .transcript--strike { text-style: strike; }
    &> .transcript--inline-code { background: $raised; }
    &> .transcript--url { color: $soft; text-style: underline; }
    &> .transcript--heading { color: $foreground; text-style: bold; }
    &> .transcript--quote { color: $soft; }
    &> .transcript--rule { color: $rule; }
    &> .transcript--code { color: $foreground; background: $raised; }
    &> .transcript--code-keyword { text-style: bold; }
    &> .transcript--code-name { color: $live; }
    &> .transcript--code-string { color: $soft; }
    &> .transcript--code-comment { color: $dim; }
    &> .transcript--thinking { color: $dim; }
    &> .transcript--warn { color: $warn; }
    &> .transcript--bad { color: $bad; }
    &> .transcript--footer { color: $dim; }
    &> .transcript--badge { color: $live; background: $raised; }
    &> .transcript--match { text-style: underline bold; }
    &> .transcript--match-current { text-style: reverse; }
    &> .transcript--thumb { color: $track; }
}
"""


@dataclass(frozen=True, slots=True)
class Marks:
    """The characters drawn around text, with plain ones for terminals that have no others."""

    bar: str = "▎"
    caret: str = "▌"
    folded: str = "▸"
    unfolded: str = "▾"
    bullet: str = "•"
    nested_bullet: str = "◦"
    quote: str = "▏"
    rule: str = "─"
    down: str = "↓"
    thumb: str = "▐"
    ellipsis: str = "…"


UNICODE_MARKS = Marks()
ASCII_MARKS = Marks(
    bar="|",
    caret="_",
    folded=">",
    unfolded="v",
    bullet="-",
    nested_bullet="-",
    quote="|",
    rule="-",
    down="",
    thumb="|",
    ellipsis="...",
)
