"""``npulse history`` as a process, and the database that it reads."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.app.npulse import REPOSITORY, environment
from tui.history.database import FILE_NAME, open_for_writing

EVIL = "\x1b]52;c;aGk=\x07\x9b2J\u202eevil"


def history(
    home: Path, *arguments: str, encoding: str = "utf-8", **env: str
) -> tuple[int, str, str]:
    variables = {k: v for k, v in environment(home).items() if v is not None} | env
    done = subprocess.run(
        [sys.executable, "-m", "tui", "history", *arguments],
        capture_output=True, cwd=REPOSITORY, env=variables, timeout=60, check=False,
    )  # fmt: skip
    out, err = done.stdout.decode(encoding), done.stderr.decode()
    assert "Traceback" not in err
    assert not set(out + err) & set("\x1b\x07\x9b\u202e")
    return done.returncode, out, err


def said(home: Path, *arguments: str) -> Any:
    code, out, err = history(home, *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def database(home: Path) -> Path:
    return home / "data" / "npulse" / "history" / FILE_NAME


def opened(home: Path) -> sqlite3.Connection:
    return open_for_writing(database(home))
