"""The roles that text of a transcript plays, and their styles."""

from __future__ import annotations

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
    "quote-bar",
    "code",
    "code-keyword",
    "code-name",
    "code-string",
    "code-comment",
    "thinking",
    "ok",
    "warn",
    "bad",
    "footer",
    "badge",
    "key",
    "match",
    "match-current",
    "selected",
    "thumb",
)
"""A role is drawn with the component class ``transcript--ROLE``; several can be combined."""

CSS = """
TranscriptView {
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
    &> .transcript--quote-bar { color: $track; }
    &> .transcript--code { color: $foreground; background: $raised; }
    &> .transcript--code-keyword { text-style: bold; }
    &> .transcript--code-name { color: $foreground; }
    &> .transcript--code-string { color: $soft; }
    &> .transcript--code-comment { color: $dim; }
    &> .transcript--thinking { color: $dim; }
    &> .transcript--ok { color: $ok; }
    &> .transcript--key { color: $soft; text-style: bold; }
    &> .transcript--warn { color: $warn; }
    &> .transcript--bad { color: $bad; }
    &> .transcript--footer { color: $dim; }
    &> .transcript--badge { color: $live; background: $raised; }
    &> .transcript--match { text-style: underline bold; }
    &> .transcript--match-current { text-style: reverse; }
    &> .transcript--selected {
        color: $screen-selection-foreground; background: $screen-selection-background;
    }
    &> .transcript--thumb { color: $dim; }
}
"""
