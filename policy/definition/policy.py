"""Policies: named, dated rules with parameters, read from YAML files and known by their digest."""

import importlib.resources
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from policy.rules import RULES, Rule
from registry.errors import BasegateError
from registry.oci.canonical_json import digest_of
from registry.oci.platforms import Platform
from registry.oci.strict_yaml import YamlRefused, load

MAXIMUM_BYTES = 1 << 20
DEFAULT = "azureml-2019-07"


class PolicyRefused(BasegateError, ValueError):
    """A policy file cannot be used; the message names the file, what was found and what is needed."""


class PlatformWanted(BaseModel):
    """Which children of an index count."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    os: Annotated[str, Field(min_length=1, description="such as linux")]
    architecture: Annotated[str, Field(min_length=1, description="such as amd64")]


class Source(BaseModel):
    """Where the requirement was published."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    document: Annotated[str, Field(min_length=1, description="the document's title")]
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="its date, quoted: YYYY-MM-DD")]
    url: Annotated[str, Field(description="where it stood, as text")] = ""
    text: Annotated[str, Field(description="the requirement in its words")] = ""


class PolicyDocument(BaseModel):
    """A policy file, its rules still as given."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(?:[._-][a-z0-9]+)*$", description="how it is referred to")]
    title: Annotated[str, Field(min_length=1, description="one line for a person")]
    subject: Annotated[str, Field(description="what exactly is judged, for a person")] = ""
    source: Source
    platforms: Annotated[
        list[PlatformWanted] | None,
        Field(min_length=1, description="the children of an index that count; absent: all but attestations"),
    ] = None
    artifacts: Annotated[
        Literal["not-applicable", "refused"],
        Field(description="the verdict on content that is not an image (charts, signatures, SBOMs)"),
    ] = "not-applicable"
    rules: Annotated[list[dict[str, Any]], Field(min_length=1, description="each names a rule and its parameters")]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that was read and checked.

    Attributes:
        name: how it is referred to: `azureml-2019-07`.
        digest: `sha256:…` of the canonical JSON of the parsed file; a verdict is known by it.
        document: the parsed file, for people.
        rules: in the file's order; never empty.
        content: the parsed file as JSON data, of which the digest is; `parse_policy` returns the same policy for it.
    """

    name: str
    digest: str
    document: PolicyDocument
    rules: tuple[Rule, ...]
    content: Mapping[str, Any]

    @property
    def is_soft(self) -> bool:
        """Whether a rule only warns: a cleared image may then carry warnings for its callers."""
        return any(rule.soft for rule in self.rules)

    @property
    def soft_rules(self) -> frozenset[str]:
        """The names of rules that warn instead of refusing."""
        return frozenset(rule.name for rule in self.rules if rule.soft)

    def counts(self, platform: Platform) -> bool:
        """Whether an index's child for this platform is part of the judgement.

        Both sides are compared in normal form. A platform that is not written in normal form always counts, because
        runtimes differ on it.
        """
        wanted = self.document.platforms
        if wanted is None or not platform.is_normal:
            return True
        return any(Platform(item.os, item.architecture).normal.is_alike(platform) for item in wanted)


def parse_policy(content: Any, where: str) -> Policy:
    """Check a policy that is already parsed.

    Raises:
        PolicyRefused: a member is missing, unknown or of the wrong form, there is no rule, or a rule is unknown.
    """
    try:
        document = PolicyDocument.model_validate(content)
    except ValidationError as error:
        raise PolicyRefused(f"policy {where} cannot be used: {_first_line(error)}") from None
    rules = tuple(_rule(item, f"{where}: rules[{position}]") for position, item in enumerate(document.rules))
    return Policy(document.name, digest_of(content), document, rules, content)


def load_policy(raw: bytes, where: str) -> Policy:
    """Read a policy file's bytes (YAML or JSON).

    Raises:
        PolicyRefused: as `parse_policy`, or the bytes are not YAML or larger than 1 MiB.
    """
    if len(raw) > MAXIMUM_BYTES:
        raise PolicyRefused(f"policy {where} has {len(raw)} bytes: needs at most {MAXIMUM_BYTES}")
    try:
        content = load(raw, aliases=True)
    except YamlRefused as error:
        raise PolicyRefused(f"policy {where} is not YAML: {error}") from None
    return parse_policy(content, where)


def read_policy(path: Path) -> Policy:
    """Read a policy file.

    Raises:
        PolicyRefused: as `load_policy`, or the file cannot be read.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PolicyRefused(f"policy {path} cannot be read: {error.strerror}") from None
    return load_policy(raw, str(path))


def _shipped_files() -> Iterator[tuple[str, bytes]]:
    folder = importlib.resources.files("policy") / "shipped"
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".yaml"):
            yield entry.name, entry.read_bytes()


_SHIPPED = tuple(_shipped_files())
"""Read with the code: a command that acts as the owner of a data folder may not read them later."""


def shipped_policies() -> Iterator[Policy]:
    """The policies that come with the program (`config/policy/*.yaml`), by name."""
    for name, raw in _SHIPPED:
        yield load_policy(raw, name)


def known_policies(folder: Path | None = None) -> dict[str, Policy]:
    """All policies by name: the shipped ones, and those of a folder, which replace shipped ones of the same name.

    Raises:
        PolicyRefused: a file of the folder cannot be used.
    """
    policies = {item.name: item for item in shipped_policies()}
    for path in sorted(folder.glob("*.yaml")) if folder is not None else ():
        item = read_policy(path)
        policies[item.name] = item
    return policies


def named_policy(policies: Mapping[str, Policy], name: str) -> Policy:
    """The policy of that name.

    Raises:
        PolicyRefused: no policy has that name; the message lists the names.
    """
    if name not in policies:
        raise PolicyRefused(f"there is no policy {name!r}: known are {', '.join(sorted(policies))}")
    return policies[name]


def _rule(item: Mapping[str, Any], where: str) -> Rule:
    parameters = dict(item)
    name = parameters.pop("rule", None)
    kinds = {kind.name: kind for kind in RULES}
    if name not in kinds:
        near = get_close_matches(str(name), kinds, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise PolicyRefused(f"policy {where} names the unknown rule {name!r}: {hint}Known are {', '.join(kinds)}")
    try:
        return kinds[name].model_validate(parameters)
    except ValidationError as error:
        raise PolicyRefused(f"policy {where} ({name}): {_first_line(error)}") from None


def _first_line(error: ValidationError) -> str:
    """The first error in one line: the member, what it needs, and what was found."""
    first = error.errors(include_url=False)[0]
    member = ".".join(str(part) for part in first["loc"])
    needed = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        return f"{member} is not a known member"
    if first["type"] == "missing":
        return f"{member} is missing"
    quoted = ""
    if first["type"] == "string_type":
        needed, quoted = "needs text", " (in YAML, put quotes around it)"
    return f"{member or 'the file'}: {needed}, found {repr(first['input'])[:80]}{quoted}"
