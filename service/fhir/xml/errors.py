"""What can be wrong with XML coming in, and with a resource going out. Neither message quotes content."""


class BadXml(ValueError):
    """The bytes are not FHIR XML; the message says what and where, and is safe to show."""

    def __init__(self, text: str, line: int, column: int) -> None:
        super().__init__(f"{text} at line {line}, column {column + 1}")
        self.line = line
        self.column = column + 1


class NotXml(ValueError):
    """The resource cannot be written as FHIR XML; `path` is the element at fault."""

    def __init__(self, text: str, path: str) -> None:
        super().__init__(f"{path}: {text}")
        self.path = path
