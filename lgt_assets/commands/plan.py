"""placeholder"""


def plan() -> None:
    """Placeholder."""
