"""Just enough of JSON Schema 2020-12 to hold a document against the published schema."""

from __future__ import annotations

from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def problems(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "$") -> list[str]:
    """Everything that does not fit; empty for a valid document."""
    if "$ref" in schema:
        return problems(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root, at)
    if "anyOf" in schema:
        tries = [problems(value, option, root, at) for option in schema["anyOf"]]
        return [] if any(not found for found in tries) else min(tries, key=len)
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at}: {value!r} is none of {schema['enum']}"]
    kind = schema.get("type")
    if kind is not None:
        is_bool_as_number = isinstance(value, bool) and kind in ("integer", "number")
        if not isinstance(value, TYPES[kind]) or is_bool_as_number:
            return [f"{at}: {type(value).__name__} is no {kind}"]
    if kind == "object":
        return _object(value, schema, root, at)
    if kind == "array":
        return _array(value, schema, root, at)
    return []


def _object(
    value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], at: str
) -> list[str]:
    found = [f"{at}: no {name}" for name in schema.get("required", ()) if name not in value]
    known = schema.get("properties", {})
    for name, item in value.items():
        if name in known:
            found += problems(item, known[name], root, f"{at}.{name}")
        elif isinstance(schema.get("additionalProperties"), dict):
            found += problems(item, schema["additionalProperties"], root, f"{at}.{name}")
    return found


def _array(value: list[Any], schema: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    found: list[str] = []
    prefix = schema.get("prefixItems", [])
    for index, item in enumerate(value):
        rule = prefix[index] if index < len(prefix) else schema.get("items")
        if isinstance(rule, dict):
            found += problems(item, rule, root, f"{at}[{index}]")
    return found
