"""The migrations of this release: where they are, and in which order."""

from pathlib import Path


def folder() -> Path:
    """The migrations, in a checkout or in an installed wheel."""
    here = Path(__file__).resolve()
    found = (here.parents[2] / "migrations", here.parents[1] / "_data" / "migrations")
    return next(path for path in found if path.is_dir())


def revisions() -> list[str]:
    """The revisions this release knows, oldest first: `0001_the_first_schema.py` is `0001`."""
    return sorted(path.name.split("_")[0] for path in (folder() / "versions").glob("[0-9]*.py"))
