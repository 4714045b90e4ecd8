"""A list of programmes is read: a folder of CSV tables, JSON documents, or the pages of an HSDS API."""

import asyncio
import csv
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, urlsplit

from service.fhir.json import BadJson, Json, JsonObject, decode
from service.flows.context import Context
from service.kernel.failures import Refused, Unavailable
from service.mapping.hsds.listing import MEMBERS, UNUSED, Listing, Trouble
from service.remote.door import Failed
from service.remote.outside import Outside

MOST = 200_000_000
"""Bytes of one file."""
_PAGES = 10_000
_TRIES = 3
_OF_SERVICE = frozenset(
    {"organization", "organization_id", "application_process", "service_at_locations", "status"}
)
_OF_LOCATION = frozenset({"addresses", "location_type", "latitude", "external_identifier"})


def read_path(path: Path) -> Listing:
    """From a file (.json, .ndjson) or a folder of such and of HSDS tables (.csv). Refused for what cannot be read."""
    listing = Listing()
    files = sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
    for file in files:
        if file.name == "datapackage.json" or file.suffix not in (".csv", ".json", ".ndjson"):
            continue
        try:
            if file.stat().st_size > MOST:
                raise Refused("too-large", f"{file.name} is longer than {MOST} bytes")
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise Refused("malformed", f"{file} cannot be read: {reason}") from None
        _file(listing, file, text)
    return listing


def _file(listing: Listing, file: Path, text: str) -> None:
    if file.suffix == ".csv":
        _table(listing, file, text)
    elif file.suffix == ".json":
        _document(listing, _decoded(text.encode(), file.name), file.name, file.stem)
    else:
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                place = f"{file.name}:{number}"
                _document(listing, _decoded(line.encode(), place), place, file.stem)


def _table(listing: Listing, file: Path, text: str) -> None:
    table = MEMBERS.get(file.stem.casefold())
    if table is None:
        listing.troubles.append(Trouble(file.name, "is no table of HSDS 3.0; it is left out"))
        return
    if table in UNUSED:
        return
    rows = csv.DictReader(text.splitlines(keepends=True), strict=True)
    try:
        for row in rows:
            place = f"{file.name}:{rows.line_num}"
            if None in row:
                listing.troubles.append(
                    Trouble(place, "has more values than the table has columns; they are left out")
                )
            listing.add(table, {name: value for name, value in row.items() if name is not None}, place)
    except csv.Error as error:
        raise Refused("malformed", f"{file.name}:{rows.line_num} is no CSV: {error}") from None


def _decoded(raw: bytes, place: str) -> Json:
    try:
        return decode(raw)
    except BadJson as error:
        raise Refused("malformed", f"{place} is not usable JSON: {error}") from None


def _document(listing: Listing, value: Json, place: str, name: str) -> None:
    """An array of documents, a page of an API (`contents`), an object of arrays by table, or one document."""
    if isinstance(value, dict) and isinstance(value.get("contents"), list):
        value = value["contents"]
    if isinstance(value, list):
        for number, each in enumerate(value):
            listing.document(_kind(each, name), each, f"{place}/{number}")
    elif isinstance(value, dict) and "id" not in value:
        for member, rows in value.items():
            if member in MEMBERS and MEMBERS[member] not in UNUSED and isinstance(rows, list):
                for number, each in enumerate(rows):
                    listing.document(MEMBERS[member], each, f"{place}/{member}/{number}")
    else:
        listing.document(_kind(value, name), value, place)


def _kind(value: Json, name: str) -> str:
    """Which table a document is of: as its file is called, else as its members say."""
    known = MEMBERS.get(name.casefold())
    if known is not None:
        return known
    members: Iterable[str] = value.keys() if isinstance(value, dict) else ()
    if _OF_SERVICE & set(members):
        return "service"
    return "location" if _OF_LOCATION & set(members) else "organization"


async def read_url(context: Context, outside: Outside, url: str) -> Listing:
    """From one document (`….json`, `….ndjson`), or from an HSDS API: `URL/services`, page after page, each in full.

    Our own rules for addresses hold. Refused for what is no HSDS; Unavailable when the server does not answer.
    """
    listing, path = Listing(), urlsplit(url).path
    if path.endswith((".json", ".ndjson")):
        body, name = await _got(outside, url), Path(path).name
        _file(listing, Path(name), body.decode("utf-8-sig", "replace"))
        return listing
    services = url.rstrip("/") if path.rstrip("/").endswith("/services") else f"{url.rstrip('/')}/services"
    for number in range(1, _PAGES):
        place = f"{services}?page={number}"
        page = _decoded(await _got(outside, f"{place}&per_page=100&full=true"), place)
        contents = page.get("contents") if isinstance(page, dict) else None
        if not isinstance(page, dict) or not isinstance(contents, list):
            raise Refused("malformed", f"{place} is no page of an HSDS API: it has no contents")
        for row, each in enumerate(contents):
            listing.document("service", await _whole(outside, services, each), f"{place}#{row}")
        if not contents or _last(page, number):
            return listing
    raise Refused("too-large", f"{services} has more than {_PAGES} pages")


def _last(page: JsonObject, number: int) -> bool:
    total = page.get("total_pages")
    return page.get("last_page") is True or (isinstance(total, int) and number >= total) or total is None


async def _whole(outside: Outside, services: str, service: Json) -> Json:
    """The service with everything in it; asked for by its id where the page gave a summary."""
    if not isinstance(service, dict) or any(isinstance(value, dict | list) for value in service.values()):
        return service
    url = f"{services}/{quote(str(service.get('id', '')), safe='')}"
    return _decoded(await _got(outside, url), url)


async def _got(outside: Outside, url: str) -> bytes:
    """The body of a 200; tried three times."""
    said = ""
    for attempt in range(_TRIES):
        answer = await outside.door.ask("GET", url, {"Accept": "application/json"}, cap=MOST)
        if not isinstance(answer, Failed) and answer.status == 200:
            return answer.body
        said = answer.text if isinstance(answer, Failed) else f"it answered {answer.status}"
        if isinstance(answer, Failed) and answer.fault == "refused-address":
            raise Refused("malformed", f"{url}: {said}")
        if not isinstance(answer, Failed) and answer.status < 500 and answer.status != 429:
            break
        await asyncio.sleep(0.5 * 2**attempt)
    raise Unavailable(f"{url} cannot be read: {said}")
