"""The settings of the pages (section `web`)."""

from pydantic import Field

from registry.config.group import Group


class WebSettings(Group):
    """The pages for people, beside the API on the same port."""

    enabled: bool = Field(
        default=True, description="whether there are pages; without them, `/` and all below it is 404 as any other path"
    )
    session_hours: float = Field(
        default=12.0,
        gt=0,
        le=24 * 366,
        description="hours until who signed in on the page has to do it again; it ends with the principal or its "
        "secret as well",
    )
    rows: int = Field(default=50, ge=1, le=500, description="rows of a table on one page; more are a page further on")
    looked_at: int = Field(
        default=2000,
        ge=100,
        le=100_000,
        description="rows that are read for one page at most, where only some of them are shown",
    )
    counted: int = Field(
        default=500,
        ge=0,
        le=100_000,
        description="images that are counted at most for the filters beside the catalog; 0: there are none",
    )
