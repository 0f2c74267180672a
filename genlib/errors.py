"""The one exception genlib raises for bad input: a single line that says what was wrong and what is allowed."""


class GenlibError(ValueError):
    """Bad input, a damaged file or a missing resource, told in one line fit to show to a user."""
