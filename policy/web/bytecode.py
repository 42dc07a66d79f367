"""Compiled templates are kept as Python keeps modules: to compile those of one page takes longer than a page may."""

import os
import sys
from contextlib import suppress
from importlib.metadata import version
from importlib.util import cache_from_source
from pathlib import Path
from pickle import UnpicklingError

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from registry.storage.disk.atomic_file import replace_file


class CompiledTemplates(BytecodeCache):
    """Keeps a file for each template where Python keeps the bytecode of modules, and trusts it as much.

    Args:
        folder: of the templates.
        basis: what else compiled templates depend on; where it is another, they are compiled again.
    """

    def __init__(self, folder: Path, basis: str) -> None:
        self._folder = folder
        self._basis = f"{version('jinja2')}\n{basis}\n"

    def get_cache_key(self, name: str, filename: str | None = None) -> str:  # noqa: ARG002
        """The name of the template."""
        return name

    def get_source_checksum(self, source: str) -> str:
        """What a compiled template must have been made of."""
        return super().get_source_checksum(self._basis + source)

    def load_bytecode(self, bucket: Bucket) -> None:
        """What was kept, unless it is of something else, or cannot be read."""
        with suppress(OSError, UnpicklingError, EOFError, ValueError), self._file(bucket.key).open("rb") as kept:
            bucket.load_bytecode(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it, where Python may keep bytecode."""
        if sys.dont_write_bytecode:
            return
        with suppress(OSError):
            file = self._file(bucket.key)
            file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(file, bucket.bytecode_to_string(), 0o666, durable=False)

    def _file(self, name: str) -> Path:
        return Path(cache_from_source(os.fspath(self._folder / name))).with_suffix(".jinja")
