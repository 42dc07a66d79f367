"""What is kept of repositories, and what becomes of the rest: section `retention`. docs/retention.md explains it."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from registry.config.group import LIVE, Group, Words


class Keep(Group):
    """What is kept: the tags (or the untagged manifests) that meet the condition, or all when there is none."""

    tags: Words = Field(default=("*",), description="tag patterns; * matches everything")
    untagged: bool = Field(
        default=False,
        description="true: of manifests without tag, index and subject instead; without it they are left alone",
    )
    newest: int | None = Field(default=None, ge=0, description="so many of them that were pushed or moved last")
    younger_days: float | None = Field(default=None, ge=0, description="pushed or moved within so many days")
    pulled_days: float | None = Field(
        default=None, ge=0, description="pulled within so many days; refused while pulls are not recorded"
    )
    marked: Words = Field(
        default=(),
        description="of which one of these holds: cleared, refused, inconclusive, not-applicable, exempt",
    )

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        given = [name for name in ("newest", "younger_days", "pulled_days") if getattr(self, name) is not None]
        given += ["marked"] if self.marked else []
        if len(given) > 1:
            raise ValueError(f"has {' and '.join(given)}, needs one condition: write one entry of keep for each")
        return self


class RetentionRule(Group):
    """What is kept of matching repositories, and what becomes of the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    repositories: Words = Field(default=("*",), description="repository patterns; the first rule that matches counts")
    keep: tuple[Keep, ...] = Field(min_length=1, description="what one of these keeps is kept")
    otherwise: Literal["report", "delete"] = Field(
        default="report", alias="else", description="what becomes of the rest: it is reported, or deleted"
    )


class RetentionSettings(Group):
    """What is kept of repositories, and what becomes of the rest."""

    interval_seconds: int = Field(
        default=0,
        ge=0,
        description="how often the server applies the rules by itself; 0: only `basegate retention run` does",
        json_schema_extra=LIVE,
    )
    step: int = Field(
        default=100,
        ge=1,
        description="tags and manifests that one change of the database removes; between two, others write",
        json_schema_extra=LIVE,
    )
    rules: tuple[RetentionRule, ...] = Field(
        default=(),
        description="repositories that none matches are left alone: docs/retention.md",
        json_schema_extra=LIVE,
    )
