"""Roles of the text of a transcript, and the style of each."""

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
    "code-edge",
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
Transcript {
    overflow-x: hidden;
    overflow-y: scroll;
    scrollbar-size: 0 0;
    color: $foreground;
    &> .transcript--text { color: $foreground; }
    &> .transcript--soft { color: $foreground-muted; }
    &> .transcript--dim { color: $foreground-muted; }
    &> .transcript--you { color: $foreground-muted; }
    &> .transcript--prompt { color: $foreground; }
    &> .transcript--live { color: $primary; }
    &> .transcript--caret { color: $primary; }
    &> .transcript--mark { color: $primary; }
    &> .transcript--strong { text-style: bold; }
    &> .transcript--em { text-style: italic; }
    &> .transcript--strike { text-style: strike; }
    &> .transcript--inline-code { background: $surface; }
    &> .transcript--url { color: $foreground-muted; text-style: underline; }
    &> .transcript--heading { color: $foreground; text-style: bold; }
    &> .transcript--quote { color: $foreground-muted; }
    &> .transcript--rule { color: $border-blurred; }
    &> .transcript--quote-bar { color: $scrollbar; }
    &> .transcript--code { color: $foreground; background: $surface; }
    &> .transcript--code-edge { color: $border-blurred; }
    &> .transcript--code-keyword { text-style: bold; }
    &> .transcript--code-name { color: $foreground; }
    &> .transcript--code-string { color: $foreground-muted; }
    &> .transcript--code-comment { color: $foreground-muted; }
    &> .transcript--thinking { color: $foreground-muted; }
    &> .transcript--ok { color: $success; }
    &> .transcript--key { color: $foreground-muted; text-style: bold; }
    &> .transcript--warn { color: $warning; }
    &> .transcript--bad { color: $error; }
    &> .transcript--footer { color: $foreground-muted; }
    &> .transcript--badge { color: $primary; background: $surface; }
    &> .transcript--match { text-style: underline bold; }
    &> .transcript--match-current { text-style: reverse; }
    &> .transcript--selected {
        color: $screen-selection-foreground; background: $screen-selection-background;
    }
    &> .transcript--thumb { color: $foreground-muted; }
}
"""
"""The colours of any Textual theme."""

MEANING_CSS = """
Transcript > .transcript--soft { color: $soft; }
Transcript > .transcript--dim { color: $dim; }
Transcript > .transcript--you { color: $dim; }
Transcript > .transcript--live { color: $live; }
Transcript > .transcript--caret { color: $live; }
Transcript > .transcript--mark { color: $live; }
Transcript > .transcript--inline-code { background: $raised; }
Transcript > .transcript--url { color: $soft; }
Transcript > .transcript--quote { color: $soft; }
Transcript > .transcript--rule { color: $rule; }
Transcript > .transcript--quote-bar { color: $track; }
Transcript > .transcript--code { background: $raised; }
Transcript > .transcript--code-edge { color: $edge; }
Transcript > .transcript--code-string { color: $soft; }
Transcript > .transcript--code-comment { color: $dim; }
Transcript > .transcript--thinking { color: $dim; }
Transcript > .transcript--ok { color: $ok; }
Transcript > .transcript--key { color: $soft; }
Transcript > .transcript--warn { color: $warn; }
Transcript > .transcript--bad { color: $bad; }
Transcript > .transcript--footer { color: $dim; }
Transcript > .transcript--badge { color: $live; background: $raised; }
Transcript > .transcript--thumb { color: $dim; }
"""
"""The same roles in the colours of a theme that names them by meaning: ``$soft``, ``$live``, ...

For the ``CSS`` of an app or a screen whose themes have those variables.
"""
