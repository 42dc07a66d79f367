"""Every row that basegate answers, those of its extensions too."""

from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from policy.app import build
from policy.settings import Settings
from registry.api.routes import Row


@cache
def every_row() -> tuple[Row, ...]:
    """The table of a basegate that is put together for this alone."""
    with TemporaryDirectory() as folder, closing(build(Settings(data=Path(folder)))) as app:
        return app.table
