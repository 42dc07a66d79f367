"""What is wrong with a source or a target of a transfer, for the person who named it."""

from registry.errors import BasegateError


class SourceUnusable(BasegateError):
    """An archive, a layout or a registry cannot be read as what it should be; nothing of the image was recorded."""


class TargetUnusable(BasegateError):
    """There is no place to write to, or a registry does not take the content."""
