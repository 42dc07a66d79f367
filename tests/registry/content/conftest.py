"""The services over each engine of rows, for the tests of what services promise."""

from tests.registry.both_engines import services

__all__ = ["services"]
