"""The services over each engine of rows, for the tests of what every metadata store promises."""

from tests.registry.both_engines import services

__all__ = ["services"]
