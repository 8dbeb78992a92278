"""Reads untrusted YAML: plain values only, bounded in size, depth and alias expansion."""

from __future__ import annotations

from typing import Any

import yaml

MAX_BYTES = 1 << 20
MAX_EVENTS = 100_000
MAX_DEPTH = 40
MAX_VALUES = 200_000
"""With every alias written out."""


class YamlError(ValueError):
    """A text that cannot be read as YAML; the message is a clause."""


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Loader that keeps dates as texts and rejects duplicate keys."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(data: bytes) -> Any:
    """The value of the one document in ``data``. Raises YamlError."""
    if len(data) > MAX_BYTES:
        raise YamlError(f"it is larger than {MAX_BYTES >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
        _check_events(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _size_of(node, {}, set())
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except UnicodeDecodeError:
        raise YamlError("it is not UTF-8") from None
    except yaml.YAMLError as error:
        raise YamlError(_plain(error)) from None
    except RecursionError:
        raise YamlError("it is nested too deeply") from None
    except (ValueError, OverflowError, TypeError) as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError(f"a value in it cannot be read: {error}") from None


def _check_events(text: str) -> None:
    """Checks size and depth on the event stream, before anything is built."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            depth += 1
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise YamlError("it is nested too deeply")
        if count > MAX_EVENTS:
            raise YamlError(f"it has more than {MAX_EVENTS:,} parts")


def _size_of(node: yaml.Node, known: dict[int, int], above: set[int]) -> int:
    """Number of values of a node with its aliases expanded. Raises YamlError if there are too many
    or if it contains itself."""
    key = id(node)
    if key in above:
        raise YamlError("an alias in it holds itself")
    if key not in known:
        above.add(key)
        size = 1
        if isinstance(node, yaml.SequenceNode):
            size += sum(_size_of(child, known, above) for child in node.value)
        elif isinstance(node, yaml.MappingNode):
            size += sum(_size_of(child, known, above) for pair in node.value for child in pair)
        above.discard(key)
        if size > MAX_VALUES:
            raise YamlError("its aliases grow to too many values")
        known[key] = size
    return known[key]


def _plain(error: yaml.YAMLError) -> str:
    """The error of the library as one clause with its line."""
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error).split("\n", 1)[0]
    return said if mark is None else f"line {mark.line + 1}: {said}"
