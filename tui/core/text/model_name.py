"""Short form of a model's name."""

from __future__ import annotations

ENDINGS = (".rkllm", ".gguf")


def spoken_name(name: str) -> str:
    """Of a path the file without its ending, as servers that name models by their files have it;
    any other name as it is. Every command takes the short one too."""
    file_name = name.rstrip("/").rpartition("/")[2] or name
    if file_name == name:
        return name
    for ending in ENDINGS:
        file_name = file_name.removesuffix(ending)
    return file_name or name
