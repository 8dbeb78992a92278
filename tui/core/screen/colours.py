"""Colour depth of the terminal: the rules, and the query sent to it.

The question sets a 24-bit background and reads it back (DECRQSS with ``m``, DEC STD 070), asks for
the terminfo names ``RGB`` and ``Tc`` (XTGETTCAP, xterm's ctlseqs), and ends with a request for the
device attributes (DA1), which nearly every terminal answers: after that answer no other comes.
OpenSSH does not pass on COLORTERM; the terminal itself answers over any line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

ColourDepth = Literal["truecolor", "256", "16", "none"]
ColourSetting = Literal["auto", "truecolor", "256", "16", "none"]
"""``[ui] colors`` and ``--colors``."""

DEPTHS: tuple[ColourDepth, ...] = ("truecolor", "256", "16", "none")
DEPTH_NAMES: Mapping[ColourDepth, str] = {
    "truecolor": "24-bit colour",
    "256": "256 colours",
    "16": "16 colours",
    "none": "no colours",
}

QUESTION = "\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b[0m\x1bP+q524742\x1b\\\x1bP+q5463\x1b\\\x1b[c"
"""Written before a frame: where a terminal prints a part of it, the frame covers that."""

ANSWER_S = 0.3
"""Wait for the answer at an early end; a later one would appear in the shell."""

_MUTE_TERMS = ("dumb", "linux", "vt", "cons25", "screen", "tmux")
"""Beginnings of TERM of those that are not asked: they print the question, or hand it on, unseen,
to the terminal around them (screen does), or answer for themselves alone (tmux)."""
_TRUECOLOUR_TERMS = (
    "xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour", "rio",
)  # fmt: skip
_FEW_COLOURS: Mapping[str, ColourDepth] = {"dumb": "none", "linux": "16", "xterm": "16"}
REPLY = re.compile("\x1bP[^\x07\x1b]*(?:\x07|\x1b\\\\)|\x1b\\[\\?[0-9;]*c")
"""An answer to the question: DECRQSS, XTGETTCAP, DA1."""
REPLY_BEGUN = re.compile(
    "\x1b(?:P(?:[01](?:[$+](?:r[0-9A-Fa-f;:=m]{0,80}\x1b?)?)?)?|\\[(?:\\?[0-9;]{0,40})?)?"
)
"""The beginning of one, which nothing else looks like from its third character on."""
_STATUS = re.compile(r"\x1bP([01])\$r([0-9;:]*)m?")
_CAPABILITY = re.compile(r"\x1bP1\+r(?:524742|5463)(?:=[0-9A-Fa-f]*)?(?=\x1b|\x07|;|$)")
_ATTRIBUTES = re.compile(r"\x1b\[\?[0-9;]*c")
_TRUECOLOUR = re.compile(r"(?:^|[;:])48[;:]2[;:](?:[0-9]*:)?1[;:]2[;:]3(?:$|[;:])")
_OTHER_COLOUR = re.compile(r"(?:^|;)(?:48[;:]5[;:][0-9]+|4[0-7]|10[0-7])(?:$|[;:])")


@dataclass(frozen=True, slots=True)
class ColourAnswer:
    """What the terminal has answered so far; None where it has not."""

    is_truecolour: bool | None = None
    """From the background that was read back, or a capability."""
    is_complete: bool = False
    """The device attributes have come: there will be no other answer."""


@dataclass(frozen=True, slots=True)
class ColourChoice:
    """A depth, and why: a part of a sentence, as in "COLORTERM says so"."""

    depth: ColourDepth
    reason: str


def with_reply(answer: ColourAnswer, reply: str) -> ColourAnswer:
    """The answer with one more sequence from the terminal, whatever that is."""
    if _ATTRIBUTES.fullmatch(reply):
        return replace(answer, is_complete=True)
    if _CAPABILITY.match(reply):
        return replace(answer, is_truecolour=True)
    status = _STATUS.match(reply)
    if status is not None and status[1] == "1" and answer.is_truecolour is None:
        if _TRUECOLOUR.search(status[2]):
            return replace(answer, is_truecolour=True)
        if _OTHER_COLOUR.search(status[2]):
            return replace(answer, is_truecolour=False)
    return answer


def is_to_be_asked(wanted: ColourSetting, env: Mapping[str, str]) -> bool:
    """Whether the terminal's own answer counts, and asking does no harm."""
    if wanted != "auto" or env.get("NO_COLOR") or env.get("TMUX") or env.get("STY"):
        return False
    term = env.get("TERM", "")
    return bool(term) and not term.startswith(_MUTE_TERMS)


def choose_depth(
    wanted: ColourSetting,
    env: Mapping[str, str],
    answer: ColourAnswer | None = None,
    *,
    tmux_features: str | None = None,
    terminfo_colours: Callable[[str], int | None] = lambda term: None,
) -> ColourChoice:
    """The depth to draw in.

    The order: the flag or setting, NO_COLOR, the terminal's answer, COLORTERM, TERM, terminfo, else
    16 colours. ``tmux_features`` is what tmux knows of the terminal around it
    (``client_termfeatures``); tmux sets COLORTERM whatever that is. ``terminfo_colours`` gives the
    number of colours of a TERM, ``1 << 24`` where it has RGB or Tc.
    """
    if wanted != "auto":
        return ColourChoice(wanted, "it was chosen")
    if env.get("NO_COLOR"):
        return ColourChoice("none", "NO_COLOR is set")
    if env.get("TMUX"):
        return _inside_tmux(tmux_features)
    if answer is not None and answer.is_truecolour is not None:
        return ColourChoice(
            "truecolor" if answer.is_truecolour else "256", "the terminal answers so"
        )
    term = env.get("TERM", "").strip().lower()
    says_truecolour = env.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit")
    if says_truecolour and not term.startswith("screen"):
        return ColourChoice("truecolor", "COLORTERM says so")
    return _by_term(term) or _by_count(terminfo_colours(term) if term else None)


def _by_term(term: str) -> ColourChoice | None:
    if term.endswith(("-direct", "-truecolor")) or term.startswith(_TRUECOLOUR_TERMS):
        return ColourChoice("truecolor", "TERM says so")
    if "256color" in term:
        return ColourChoice("256", "TERM says so")
    if term in _FEW_COLOURS:
        return ColourChoice(_FEW_COLOURS[term], f"TERM is {term}")
    return None


def _by_count(count: int | None) -> ColourChoice:
    if count is None:
        return ColourChoice("16", "nothing says that there are more")
    if count >= 1 << 24:
        return ColourChoice("truecolor", "terminfo says so")
    if count >= 256:
        return ColourChoice("256", "terminfo says so")
    return ColourChoice("16" if count >= 8 else "none", "terminfo says so")


@dataclass(frozen=True, slots=True)
class MoreColours:
    """A line that gives more colours, and the sentence that says where it belongs."""

    line: str
    sentence: str


def more_colours(choice: ColourChoice, env: Mapping[str, str]) -> MoreColours | None:
    """What gives more colours where the terminal has them; None where nothing is to be gained, or
    somebody chose so."""
    is_sure = choice.reason in ("it was chosen", "NO_COLOR is set", "the terminal answers so")
    if choice.depth == "truecolor" or is_sure:
        return None
    term = env.get("TERM", "")
    if env.get("TMUX") or term.startswith("tmux"):
        line = 'set -as terminal-features ",*:RGB"'
        return MoreColours(line, "Where the terminal has more, this line in ~/.tmux.conf says so:")
    if env.get("STY") or term.startswith("screen"):
        return MoreColours("truecolor on", "GNU screen 5 has more with this line in ~/.screenrc:")
    if term in ("linux", "dumb"):
        return None
    if env.get("SSH_CONNECTION"):
        sentence = (
            "Where the terminal has more, npulse --colors truecolor draws them; or pass COLORTERM "
            "on, by AcceptEnv COLORTERM in the board's sshd_config and this line in your "
            "~/.ssh/config:"
        )
        return MoreColours("SendEnv COLORTERM", sentence)
    return MoreColours("npulse --colors truecolor", "Where the terminal has more:")


def _inside_tmux(features: str | None) -> ColourChoice:
    if features is None:
        return ColourChoice("256", "tmux hides what is around it")
    known = features.split(",")
    if "RGB" in known:
        return ColourChoice("truecolor", "tmux says so")
    if "256" in known:
        return ColourChoice("256", "tmux says so")
    return ColourChoice("16", "tmux says so")
