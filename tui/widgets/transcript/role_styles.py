"""The styles of roles, as the theme of the app has them on one widget's background."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget


class RoleStyles:
    """Styles by role, taken from the component classes ``transcript--ROLE`` of a widget."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._styles: dict[str, Style] = {}

    def clear(self) -> None:
        """The theme, or the style sheet, is another one now."""
        self._styles.clear()

    def style_of(self, roles: str) -> Style:
        """The style of no, one or more roles, separated by blanks."""
        style = self._styles.get(roles)
        if style is None:
            style = self._widget.rich_style
            for role in roles.split():
                style += self._role_style(f"transcript--{role}")
            self._styles[roles] = style
        return style

    def _role_style(self, name: str) -> Style:
        widget = self._widget
        style = widget.get_component_rich_style(name, partial=True)
        component = widget.get_component_styles(name)
        below, ink, ground = widget.background_colors[1], component.color, component.background
        # A style of cells knows no transparency.
        if 0 < ground.a < 1:
            style += Style(bgcolor=(below + ground).rich_color)
        if component.has_rule("color") and 0 < ink.a < 1:
            style += Style(color=(below + ink).rich_color)
        return style
