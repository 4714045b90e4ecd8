"""The two ways an expression disappoints: it cannot be read, or it cannot be answered."""


class BadExpression(ValueError):
    """The text is not FHIRPath as we speak it. `at` is the character where reading stopped."""

    def __init__(self, text: str, at: int) -> None:
        super().__init__(f"{text} at character {at + 1}")
        self.at = at


class EvaluationError(Exception):
    """The expression is well formed but has no answer here: several items for one, too much work."""
