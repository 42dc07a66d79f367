"""One kind of error that is told to a person: a sentence that says what was found, what is needed, what to do."""


class BasegateError(Exception):
    """A command ends with exit code 2 and this one line; a server does not start."""
