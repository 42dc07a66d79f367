"""The JSON schema of policy files, from the models that check them (`config/policy/policy.schema.json`)."""

from typing import Any

from policy.definition.policy import PolicyDocument
from policy.rules import RULES, Rule


def policy_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of policy files, for editors."""
    schema = PolicyDocument.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "A policy of basegate"
    schema["properties"]["rules"]["items"] = {"oneOf": [_rule(kind) for kind in RULES]}
    return schema


def _rule(kind: type[Rule]) -> dict[str, Any]:
    schema = kind.model_json_schema()
    schema["title"] = kind.name
    schema["properties"] = {"rule": {"const": kind.name}, **schema["properties"]}
    schema["required"] = ["rule", *schema.get("required", [])]
    return schema
