"""What the person in front of the demo reads while it happens."""

import time

from rich.console import Console


class WentWrong(Exception):
    """Something the story needs did not happen; the text says what."""


class Teller:
    """One line for each thing that happens, with the seconds since the curtain rose."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.good = True
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start, or since `curtain`."""
        return time.monotonic() - self._began

    def curtain(self) -> None:
        """The preparations are done: count from here."""
        self._began = time.monotonic()

    def act(self, title: str) -> None:
        """A heading."""
        self.console.print(f"\n[bold]{title}[/bold]")

    def line(self, who: str, what: str) -> None:
        """Who did what."""
        self.console.print(f"[dim]{self.seconds:5.1f} s[/dim]  [cyan]{who:<30}[/cyan] {what}", soft_wrap=True)

    def failed(self, why: str) -> None:
        """The sentence a failure ends with."""
        self.good = False
        self.console.print(f"\n[bold red]The demo failed:[/bold red] {why}", soft_wrap=True)
