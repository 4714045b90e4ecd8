"""Write openapi.yaml from the application; tests compare the two."""

from pathlib import Path

import yaml
from fastapi import FastAPI

from service.api.app import bare_app


def document(app: FastAPI) -> str:
    return yaml.safe_dump(app.openapi(), sort_keys=False, allow_unicode=True, width=110)


if __name__ == "__main__":
    Path("openapi.yaml").write_text(document(bare_app()))
