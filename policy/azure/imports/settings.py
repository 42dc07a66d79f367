"""The settings of imports by way of the management endpoint (section `azure.imports`)."""

from pydantic import Field

from registry.config.group import LIVE, Group, Words


class ImportSettings(Group):
    """`az acr import`."""

    registries: Words = Field(
        default=("*",),
        description="registries, HOST or HOST:PORT, that images are imported from; `*` matches everything but loopback "
        "and link-local addresses, which have to be written out; empty: imports are refused",
        json_schema_extra=LIVE,
    )
    at_once: int = Field(default=2, ge=1, le=64, description="imports that run at the same time; others wait")
    waiting: int = Field(
        default=16, ge=0, description="imports that may wait; one more is refused", json_schema_extra=LIVE
    )
    remembered_seconds: float = Field(
        default=3600.0, gt=0, description="how long it can be asked what became of an import"
    )
