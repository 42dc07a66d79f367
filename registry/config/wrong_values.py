"""What a value in a file needs to be, in words of the file and not of the program."""

from collections.abc import Mapping
from typing import Any

_NEEDS: Mapping[str, str] = {
    "missing": "needs a value",
    **dict.fromkeys(("tuple_type", "list_type", "set_type", "frozen_set_type"), "needs a list"),
    **dict.fromkeys(
        ("model_type", "model_attributes_type", "dict_type", "dataclass_type"), "needs names with values, `name: value`"
    ),
    "string_type": "needs a text (in YAML, put quotes around it)",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "needs a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "needs a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "needs true or false"),
    "path_type": "needs a path",
    "greater_than_equal": "needs {ge} or more",
    "greater_than": "needs more than {gt}",
    "less_than_equal": "needs {le} or less",
    "less_than": "needs less than {lt}",
    "too_short": "needs at least {min_length} entries",
    "too_long": "needs at most {max_length} entries",
    "string_too_short": "needs at least {min_length} characters",
    "string_too_long": "needs at most {max_length} characters",
    "string_pattern_mismatch": "needs a text of the form {pattern}",
    "extra_forbidden": "is not known here",
}
_BEFORE = ("Value error, ", "Input should be ", "Input ")


def needed(error: Mapping[str, Any]) -> str:
    """What one of pydantic's errors (`ValidationError.errors()`) asks for: `needs a whole number`."""
    words = _NEEDS.get(error["type"])
    if words is not None:
        return words.format(**error.get("ctx", {}))
    message: str = error["msg"]
    text = message
    for beginning in _BEFORE:
        text = text.removeprefix(beginning)
    return text if message.startswith("Value error") or text == message else f"needs {text}"
