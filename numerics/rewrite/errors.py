"""What the rewriting refuses."""


class RewriteError(ValueError):
    """An average that cannot be brought into loop form; the sentence names what was found and what is possible."""
