"""The settings of the search for images (section `search`)."""

from pydantic import Field

from registry.config.group import LIVE, Group


class SearchSettings(Group):
    """How much one search may ask for."""

    page: int = Field(
        default=40, ge=1, le=1000, description="images on one page when n is absent", json_schema_extra=LIVE
    )
    page_maximum: int = Field(
        default=500, ge=1, le=5000, description="images on one page; a larger n is clipped", json_schema_extra=LIVE
    )
    looked_at: int = Field(
        default=600,
        ge=200,
        le=100_000,
        description="images that are looked at for one page; where few of them meet the conditions it has fewer rows, "
        "and a Link to go on",
        json_schema_extra=LIVE,
    )
