"""Opens the screen that a page of the lab asks for; the only module that knows all of them."""

from __future__ import annotations

from tui.screens.lab.answer import LabAnswerScreen
from tui.screens.lab.judge import LabJudgeScreen
from tui.screens.lab.matrix import LabMatrixScreen
from tui.screens.lab.page import LabPage
from tui.screens.lab.sides import LabSidesScreen
from tui.screens.lab.text import LabTextScreen


def open_page(asked: LabPage.Open) -> None:
    """Opens a page above the requesting one; ignored where that is no longer on top."""
    page = asked.page
    if page.app.screen is not page:
        # Enter was pressed twice before the first one was handled.
        return
    data, glyphs = page.data, page.glyphs
    opened: LabPage
    if isinstance(asked, LabPage.OpenMatrix):
        opened = LabMatrixScreen(data, glyphs)
    elif isinstance(asked, LabPage.OpenAnswer):
        opened = LabAnswerScreen(data, glyphs, asked.cell)
    elif isinstance(asked, LabPage.OpenSides):
        opened = LabSidesScreen(data, glyphs, asked.cells)
    elif isinstance(asked, LabPage.OpenJudging):
        opened = LabJudgeScreen(data, glyphs)
    elif isinstance(asked, LabPage.OpenText):
        opened = LabTextScreen(data, glyphs, asked.name)
    else:
        raise TypeError(f"no page of the lab for {type(asked).__name__}")
    page.app.push_screen(opened)
