"""An existing bulk data client (smart-fetch, of the SMART team) exports from a service of its own: `make clients`.

smart-fetch brings a heap of packages of its own, so `uv` runs it beside ours; nothing of it is installed here. Whatever
it is given must be what the service holds: as SMART client, by type, since a moment, of a Group.
"""

import asyncio
import base64
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]

from parts import Service, prepare, running  # noqa: E402
from smart_client import Key, es384  # noqa: E402

from service.fhir.json import decode_object, encode  # noqa: E402
from service.kernel.clock import instant, system_clock  # noqa: E402
from service.store import embedded  # noqa: E402

UV = os.environ.get("UV", "uv")
CLIENT = (UV, "tool", "run", "--from", "smart-fetch==1.0.3", "smart-fetch", "bulk")
PEOPLE, NEEDS = 40, 3


def private_jwks(key: Key) -> dict[str, Any]:
    """The key set as the client wants it: with the private part."""
    number = key.private.private_numbers().private_value
    d = base64.urlsafe_b64encode(number.to_bytes(48, "big")).rstrip(b"=").decode()
    return {"keys": [{**key.public, "d": d, "alg": "ES384", "kid": key.kid, "key_ops": ["sign"]}]}


async def fill(service: Service) -> None:
    """Clients with their needs, the first five in a Group."""
    async with await service.client("Harbor") as harbor:

        async def put(resource: dict[str, Any]) -> None:
            answer = await harbor.put(
                f"/fhir/{resource['resourceType']}/{resource['id']}", content=encode(resource)
            )
            assert answer.status_code == 201, answer.text

        for number in range(PEOPLE):
            await put({"resourceType": "Patient", "id": f"p{number}", "name": [{"family": "Moreno"}]})
            subject = {"reference": f"Patient/p{number}"}
            for other in range(NEEDS):
                code = {"coding": [{"system": "http://snomed.info/sct", "code": "32911000"}]}
                await put(
                    {
                        "resourceType": "Condition",
                        "id": f"c{number}-{other}",
                        "subject": subject,
                        "code": code,
                    }
                )
        members = [{"entity": {"reference": f"Patient/p{number}"}} for number in range(5)]
        await put(
            {"resourceType": "Group", "id": "five", "type": "person", "actual": True, "member": members}
        )


async def fetched(service: Service, folder: Path, given: list[str], *more: str) -> set[str]:
    """What the client has on its disk after an export; SystemExit with its output when it fails."""
    command = [
        *CLIENT,
        str(folder),
        "--fhir-url",
        service.base,
        *given,
    ]
    pipe = asyncio.subprocess.PIPE
    client = await asyncio.create_subprocess_exec(
        *command,
        "--no-compression",
        "--no-default-filters",
        *more,
        stdout=pipe,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await client.communicate()
    if client.returncode:
        sys.exit(f"smart-fetch {' '.join(more)}: {out.decode()}")
    return held(folder)


def held(folder: Path) -> set[str]:
    """References of everything in the files of a folder, but for the client's own log."""
    paths = [path for path in folder.rglob("*.ndjson*") if not path.name.startswith("log.")]
    lines = [decode_object(line) for path in paths for line in path.read_bytes().splitlines()]
    return {f"{each['resourceType']}/{each['id']}" for each in lines}


def expect(what: str, found: set[str], wanted: set[str]) -> None:
    """Say what was right, or end with what was not."""
    if found != wanted:
        sys.exit(
            f"{what}: {len(found - wanted)} too many, {len(wanted - found)} missing: {sorted(found ^ wanted)[:5]}"
        )
    print(f"ok: {what}: {len(found)} resources")


async def exports(service: Service, home: Path, key: Key) -> None:
    """Each compared with what is there."""
    jwks, scopes = str(home / "public.json"), ["system/*.cruds"]
    shown = await service.partner("Harbor", "casework", jwks=jwks, scopes=scopes)
    await fill(service)
    given = ["--smart-client-id", shown["client_id"], "--smart-key", str(home / "private.jwks")]
    people = {f"Patient/p{number}" for number in range(PEOPLE)}
    needs = {f"Condition/c{number}-{other}" for number in range(PEOPLE) for other in range(NEEDS)}
    both = ("--type", "patient,condition")
    expect("everything of two types", await fetched(service, home / "all", given, *both), people | needs)
    five = {each for each in people | needs if each.partition("/")[2][1:].partition("-")[0] in set("01234")}
    expect("a group", await fetched(service, home / "group", given, *both, "--group", "five"), five)
    one = await fetched(
        service, home / "one", given, "--type", "condition", "--type-filter", "Condition?_id=c1-0,c2-0"
    )
    expect("a type filter", one, {"Condition/c1-0", "Condition/c2-0"})
    since = instant(system_clock())
    expect("nothing since", await fetched(service, home / "since", given, *both, "--since", since), set())


async def main() -> None:
    """A service with its worker, and the exports."""
    home = Path(tempfile.mkdtemp(prefix="casebridge-bulk-client-"))
    url = embedded.start(home, "bulk")
    await prepare(url, home)
    key = es384()
    (home / "public.json").write_text(json.dumps({"keys": [key.public]}))
    (home / "private.jwks").write_text(json.dumps(private_jwks(key)))
    async with running(url, home) as service:
        worker = service.wiring.worker()
        working = asyncio.create_task(worker.run())
        try:
            await exports(service, home, key)
        finally:
            worker.stop()
            await working
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main())
