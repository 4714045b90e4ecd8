"""A service of its own, a partner with a key, and the npm clients' tests against it: `make clients`."""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]

from parts import prepare, running  # noqa: E402
from smart_client import es384  # noqa: E402

from service.store import embedded  # noqa: E402


async def main() -> int:
    """The exit code of `node --test`."""
    home = Path(tempfile.mkdtemp(prefix="casebridge-clients-"))
    url = embedded.start(home, "clients")
    await prepare(url, home)
    key = es384()
    jwks = home / "jwks.json"
    jwks.write_text(json.dumps({"keys": [key.public]}))
    async with running(url, home) as service:
        shown = await service.partner("Riverbend", "ehr", jwks=str(jwks), scopes=["system/*.cruds"])
        pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        given = {
            "CASEBRIDGE_URL": service.url,
            "CASEBRIDGE_CLIENT_ID": shown["client_id"],
            "CASEBRIDGE_PRIVATE_KEY": pem,
            "CASEBRIDGE_KID": key.kid,
        }
        node = await asyncio.create_subprocess_exec(
            "node", "--test", "--test-concurrency=1", cwd=HERE, env={**os.environ, **given}
        )
        return await node.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
