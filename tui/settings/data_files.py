"""Paths of the files that npulse ships: themes and the default config."""

from __future__ import annotations

from pathlib import Path


def data_folder(package: Path | None = None) -> Path:
    """The folder with ``themes`` and ``config.toml``: inside the package, or at the top of a clone.

    ``package`` is the folder of the import package. Whether anything is there is not looked at.
    """
    package = Path(__file__).resolve().parents[1] if package is None else package
    inside = package / "data"
    return inside if inside.is_dir() else package.parent


def default_config() -> Path:
    """The commented ``config.toml`` with every default."""
    return data_folder() / "config.toml"


def themes_folder() -> Path:
    """The themes that npulse brings along."""
    return data_folder() / "themes"
