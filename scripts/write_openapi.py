"""Write openapi.yaml from the application; tests/api/test_openapi.py compares the two. `make openapi` runs it."""

from pathlib import Path

import yaml
from fastapi import FastAPI

from service.api.app import bare_app

PLACE = Path(__file__).resolve().parents[1] / "openapi.yaml"


def document(app: FastAPI) -> str:
    """The description as YAML."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(app.openapi(), Dumper=dumper, sort_keys=False, allow_unicode=True, width=110))


if __name__ == "__main__":
    PLACE.write_text(document(bare_app()), encoding="utf-8")
