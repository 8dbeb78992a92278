"""Client of language model servers: discovery, requests, streams."""

import sys

# Where click is installed, httpx imports its own command line, and rich and pygments with it:
# 40 of its 95 ms, for a program that never runs here.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
