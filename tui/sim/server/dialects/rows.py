"""Every server that can be simulated, a row each."""

from __future__ import annotations

from tui.sim.server.dialects import rockchipllama
from tui.sim.server.dialects.dialect import Dialect

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (rockchipllama.DIALECT,)}
"""By name; the first is the one that is simulated unless another one is named."""
