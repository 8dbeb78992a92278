"""A virtual environment outside the clone that needs no network: it borrows what is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

SOURCES = ("dev", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "config.toml")
FOLDERS = ("tui", "themes")


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Variables for a child that shall see nothing of this run or of its user."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL", "TMPDIR")}
    offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    # For a switch that turns something off, pip takes 0 to mean that it is off.
    return {**kept, **offline, "PIP_NO_BUILD_ISOLATION": "0", "HOME": str(home), **more}


def make_venv(folder: Path) -> Path:
    """A new environment in ``folder`` with pip; gives its python.

    What this run has installed can be imported there, except npulse itself: a path in a .pth file
    brings the packages below it, but not what the .pth files below it bring.
    """
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    packages = folder / "lib" / name / "site-packages"
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n")
    return folder / "bin" / "python"


def run(
    argv: list[str | Path], cwd: Path, env: Mapping[str, str], seconds: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run to the end; stdout and stderr as text."""
    return subprocess.run(
        [str(part) for part in argv],
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
