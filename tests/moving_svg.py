"""Many pictures of a terminal as one SVG that moves (SMIL): what stays is in it once.

The pictures are those that Textual exports. A text or a background that is the same in several of
them becomes one element, shown during these and hidden otherwise.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

_STYLE = re.compile(r"\.terminal-\d+-r(\d+) \{ ([^}]*?) ?\}")
_TEXT = re.compile(
    r'<text class="terminal-\d+-r(\d+)" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"'
    r"[^>]*>([^<]*)</text>"
)
_GROUND = re.compile(
    r'<rect fill="(#[0-9a-fA-F]+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"'
    r' shape-rendering="crispEdges"/>'
)
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_ORIGIN = re.compile(r'<g transform="translate\(([\d.]+), ([\d.]+)\)" clip-path')
FONTS = "'Fira Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace"


@dataclass(frozen=True)
class Frame:
    """A picture, and for how long it is shown."""

    svg: str
    seconds: float


def moving_svg(frames: Sequence[Frame]) -> str:
    """One picture that shows these one after the other, again and again."""
    width, height = _SIZE.search(frames[0].svg).groups()  # type: ignore[union-attr]
    left, top = _ORIGIN.search(frames[0].svg).groups()  # type: ignore[union-attr]
    whole_s = sum(frame.seconds for frame in frames)
    starts = [sum(frame.seconds for frame in frames[:n]) / whole_s for n in range(len(frames))]
    classes: dict[str, str] = {}
    grounds: dict[tuple[int, ...], list[str]] = defaultdict(list)
    texts: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for shown, elements in ((grounds, _grounds), (texts, _texts)):
        seen: dict[str, list[int]] = {}
        for number, frame in enumerate(frames):
            for element in dict.fromkeys(elements(frame.svg, classes)):
                seen.setdefault(element, []).append(number)
        for element, numbers in seen.items():
            shown[tuple(numbers)].append(element)
    layers = (_group(at, found, starts, whole_s) for kind in (grounds, texts)
              for at, found in kind.items())  # fmt: skip
    styles = "".join(f".{name}{{{style}}}" for style, name in classes.items())
    return (
        f'<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">'
        f"<style>text{{font:20px {FONTS};white-space:pre}}{styles}</style>"
        f'<rect fill="#292929" width="{width}" height="{height}" rx="8"/>'
        f'<g transform="translate({left},{top})">\n' + "\n".join(layers) + "\n</g></svg>\n"
    )


def _grounds(svg: str, _: dict[str, str]) -> list[str]:
    return [
        f'<rect fill="{fill}" x="{x}" y="{y}" width="{w}" height="{h}"/>'
        for fill, x, y, w, h in _GROUND.findall(svg)
    ]


def _texts(svg: str, classes: dict[str, str]) -> list[str]:
    """Every run of text; ``classes`` grows by the styles that are new."""
    styles = dict(_STYLE.findall(svg))
    found = []
    for number, x, y, length, text in _TEXT.findall(svg):
        plain = text.replace("&#160;", " ").rstrip("\n")
        if not plain.strip():
            continue
        name = classes.setdefault(styles[number], f"s{len(classes)}")
        # Blanks of a terminal are as wide as anything else: they must not be joined.
        kept = plain.replace(" ", "\N{NO-BREAK SPACE}")
        found.append(f'<text class="{name}" x="{x}" y="{y}" textLength="{length}">{kept}</text>')
    return found


def _group(
    numbers: Sequence[int], elements: Sequence[str], starts: Sequence[float], whole_s: float
) -> str:
    """Elements that are shown during these frames."""
    inner = "".join(elements)
    if len(numbers) == len(starts):
        return f"<g>{inner}</g>"
    wanted = set(numbers)
    changes: list[tuple[float, str]] = []
    for number, start in enumerate(starts):
        state = "visible" if number in wanted else "hidden"
        if not changes or changes[-1][1] != state:
            changes.append((start, state))
    times = ";".join(f"{start:.4f}".rstrip("0").rstrip(".") or "0" for start, _ in changes)
    values = ";".join(state for _, state in changes)
    return (
        f'<g visibility="{changes[0][1]}"><animate attributeName="visibility" calcMode="discrete"'
        f' dur="{whole_s:.2f}s" repeatCount="indefinite" values="{values}" keyTimes="{times}"/>'
        f"{inner}</g>"
    )
