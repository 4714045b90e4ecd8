"""Bulk Data 3.0 as a server: kick-off, status, manifest, files; what leaves is what consent releases when it leaves."""

from pathlib import Path
from typing import Any

import pytest

from service.fhir.json import decode_object, encode
from service.flows import onboard_partner
from service.flows.audit.disclosures import listing
from service.flows.exports.work import export, take_exports
from service.flows.sweep import sweep
from service.kernel.clock import instant
from tests.flows.exports.bay import ASYNC, HARBOR, NORTHSIDE, RIVERBEND, Bay, bay, need


@pytest.fixture
async def here(database_url: str, tmp_path: Path) -> Any:
    async with bay(database_url, tmp_path) as found:
        yield found


async def leslie(here: Bay) -> None:
    """Leslie and Jonah, known to Riverbend; only Leslie has signed."""
    for id_ in ("leslie", "jonah"):
        await here.person(id_)
        await here.share(RIVERBEND, f"Patient/{id_}", f"Condition/{id_}-need-0")
    await here.permit("leslie", RIVERBEND)


LESLIE = {"Patient/leslie", "Condition/leslie-need-0"}


# kick-off


async def test_a_kick_off_is_answered_with_where_to_look(here: Bay) -> None:
    answer = await here.ask(HARBOR)
    assert answer.status_code == 202
    assert answer.headers["content-location"].startswith(f"{here.service.base}/export/")
    assert decode_object(answer.content)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("path", ["/fhir/$export", "/fhir/Patient/$export", "/fhir/Group/g/$export"])
async def test_each_level_is_asked_by_get_and_by_post(here: Bay, path: str) -> None:
    await here.person("leslie")
    await here.put(HARBOR, group("g", "leslie"))
    wanted = encode(
        {"resourceType": "Parameters", "parameter": [{"name": "_type", "valueString": "Condition"}]}
    )
    asked = await here.names(HARBOR, f"{path}?_type=Condition")
    posted = await here.names(HARBOR, path, content=wanted)
    assert asked == posted == {"Condition/leslie-need-0"}


def group(id_: str, *members: str, **more: Any) -> dict[str, Any]:
    named = [{"entity": {"reference": f"Patient/{each}"}} for each in members]
    return {"resourceType": "Group", "id": id_, "type": "person", "actual": True, "member": named, **more}


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("_type=Nonsense", "_type"),
        ("_since=yesterday", "_since"),
        ("_outputFormat=text/csv", "_outputFormat"),
        ("_typeFilter=Condition", "_typeFilter"),
        ("_typeFilter=Condition?_sort=code", "_sort"),
        ("_typeFilter=Condition?nonsense=1", "nonsense"),
        ("_typeFilter=Task?status=draft&_type=Condition", "_typeFilter"),
        ("_elements=id", "_elements"),
        ("includeAssociatedData=LatestProvenanceResources", "includeAssociatedData"),
        ("organizeOutputBy=Patient", "organizeOutputBy"),
        ("patient=Patient/leslie", "patient"),
    ],
)
async def test_what_cannot_be_done_is_refused_naming_it(here: Bay, query: str, why: str) -> None:
    answer = await here.ask(HARBOR, f"/fhir/$export?{query}")
    assert answer.status_code == 400
    outcome = decode_object(answer.content)
    assert outcome["resourceType"] == "OperationOutcome"
    assert why in outcome["issue"][0]["diagnostics"]


async def test_with_lenient_handling_it_is_left_out_and_the_error_file_says_so(here: Bay) -> None:
    await here.person("leslie")
    lenient = {"Prefer": "respond-async, handling=lenient"}
    manifest = await here.manifest(
        HARBOR, "/fhir/$export?_elements=id&_type=Condition,Nonsense", headers=lenient
    )
    assert [(each["type"], each["count"]) for each in manifest["error"]] == [("OperationOutcome", 2)]
    said = await here.lines(HARBOR, manifest, "error")
    assert all(each["resourceType"] == "OperationOutcome" for each in said)
    assert {"_elements", "Nonsense"} <= set(
        " ".join(each["issue"][0]["diagnostics"] for each in said).replace(";", "").split()
    )
    assert [each["type"] for each in manifest["output"]] == ["Condition"]


async def test_an_export_without_respond_async_is_refused(here: Bay) -> None:
    assert (await here.ask(HARBOR, headers={})).status_code == 400


async def test_every_name_of_the_format_is_accepted(here: Bay) -> None:
    for name in ("application/fhir+ndjson", "application/fhir%2Bndjson", "application/ndjson", "ndjson"):
        begun = await here.ask(HARBOR, f"/fhir/$export?_outputFormat={name}")
        assert begun.status_code == 202, begun.text
        await here.clients[HARBOR].delete(begun.headers["content-location"])


async def test_a_partner_has_only_so_many_exports_at_once(here: Bay) -> None:
    for _ in range(4):
        assert (await here.ask(HARBOR)).status_code == 202
    answer = await here.ask(HARBOR)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


# who may


async def test_who_answers_referrals_exports_nothing(here: Bay) -> None:
    await here.join(NORTHSIDE, "referral-recipient")
    assert (await here.ask(NORTHSIDE)).status_code == 403


async def test_nobody_without_a_token_exports_looks_or_fetches(here: Bay) -> None:
    manifest = await here.manifest(HARBOR)
    begun = await here.ask(HARBOR)
    client = here.clients[HARBOR]
    del client.headers["Authorization"]
    for url in (
        "/fhir/$export",
        begun.headers["content-location"],
        *(each["url"] for each in manifest["output"]),
    ):
        assert (await client.get(url, headers=ASYNC)).status_code == 401


async def test_a_funder_exports_what_names_no_client(here: Bay) -> None:
    await here.person("leslie")
    await here.join("Statewide Recovery Network", "funder")
    found = await here.names("Statewide Recovery Network")
    assert found and {each.partition("/")[0] for each in found} == {"Organization"}
    named = await here.ask("Statewide Recovery Network", "/fhir/$export?_type=Condition")
    assert named.status_code == 403


async def test_a_funder_with_wider_scopes_still_sees_nobody_without_a_ground(here: Bay) -> None:
    await here.person("leslie")
    await here.join("Statewide Recovery Network", "funder", scopes=["system/*.rs"])
    await here.share("Statewide Recovery Network", *LESLIE)
    found = await here.names("Statewide Recovery Network")
    assert not {each for each in found if each.startswith(("Patient", "Condition"))}


async def test_a_token_for_a_part_of_a_type_exports_that_part(here: Bay) -> None:
    code = "code=http://snomed.info/sct|32911000"
    await here.join("Agency", "ehr", scopes=[f"system/Condition.rs?{code}"])
    for id_, number in (("own", "32911000"), ("other", "73211009")):
        body = need(id_, "somebody")
        body["code"]["coding"][0]["code"] = number
        answer = await here.clients[HARBOR].put(f"/fhir/Condition/{id_}", content=encode(body))
        assert answer.status_code == 201, answer.text
    await here.row(
        "UPDATE resource SET author = (SELECT client_id FROM partner WHERE name = 'Agency') WHERE type = 'Condition'"
    )
    assert await here.names("Agency") == {"Condition/own"}


# what leaves


async def test_the_custodian_exports_everything_as_it_is_kept(here: Bay) -> None:
    await leslie(here)
    found = await here.lines(HARBOR, await here.manifest(HARBOR))
    kept = {f"{each['resourceType']}/{each['id']}": each for each in found}
    assert {*LESLIE, "Patient/jonah", "Condition/jonah-need-0", "Consent/consent-leslie"} <= kept.keys()
    read = await here.clients[HARBOR].get("/fhir/Condition/leslie-need-0")
    assert kept["Condition/leslie-need-0"] == decode_object(read.content)


async def test_a_partner_exports_what_the_clients_consent_releases_with_its_labels_and_notice(
    here: Bay,
) -> None:
    await leslie(here)
    manifest = await here.manifest(RIVERBEND)
    found = {f"{each['resourceType']}/{each['id']}": each for each in await here.lines(RIVERBEND, manifest)}
    clients = {name for name in found if name.startswith(("Patient", "Condition"))}
    assert clients == LESLIE
    labels = {each["code"] for each in found["Condition/leslie-need-0"]["meta"]["security"]}
    assert {"42CFRPart2", "NORDSCLCD"} <= labels
    assert "42 CFR part 2" in encode(found["Condition/leslie-need-0"]).decode()


async def test_a_consent_revoked_before_the_page_releases_nothing(here: Bay) -> None:
    await leslie(here)
    begun = await here.ask(RIVERBEND)
    await here.permit("leslie", RIVERBEND, status="inactive")
    await here.works()
    manifest = decode_object((await here.clients[RIVERBEND].get(begun.headers["content-location"])).content)
    assert "leslie" not in encode(await here.lines(RIVERBEND, manifest)).decode()


async def test_a_consent_revoked_before_the_file_is_fetched_releases_nothing(here: Bay) -> None:
    await leslie(here)
    manifest = await here.manifest(RIVERBEND)
    assert {each["type"]: each["count"] for each in manifest["output"]}["Condition"] == 1
    await here.permit("leslie", RIVERBEND, status="inactive")
    assert "leslie" not in encode(await here.lines(RIVERBEND, manifest)).decode()


async def test_what_is_deleted_before_the_file_is_fetched_is_not_in_it(here: Bay) -> None:
    await here.person("leslie", needs=2)
    manifest = await here.manifest(HARBOR, "/fhir/$export?_type=Condition")
    await here.clients[HARBOR].delete("/fhir/Condition/leslie-need-1")
    assert [each["id"] for each in await here.lines(HARBOR, manifest)] == ["leslie-need-0"]


async def test_what_leaves_is_on_the_trail_and_in_the_clients_accounting(here: Bay) -> None:
    await leslie(here)
    manifest = await here.manifest(RIVERBEND)
    assert await listing(here.context, "Patient/leslie") == [], "found is not yet disclosed"
    await here.lines(RIVERBEND, manifest)
    told = await listing(here.context, "Patient/leslie")
    assert {one.description for one in told} == {"Patient 1 ($export here)", "Condition 1 ($export here)"}
    assert {(one.recipient, one.basis, one.consents) for one in told} == {
        (RIVERBEND, "consent", ("Consent/consent-leslie",))
    }
    assert await listing(here.context, "Patient/jonah") == []
    async with here.context.database.reading() as connection:
        found = await connection.fetch("SELECT kind, action, outcome, about FROM audit ORDER BY id")
    words = {(row["kind"], row["action"]) for row in found}
    assert {
        ("access", "$export"),
        ("access", "$export-status"),
        ("access", "$export-file"),
        ("consent", "decide"),
    } <= words
    denied = {
        about for row in found if row["kind"] == "consent" and row["outcome"] == "4" for about in row["about"]
    }
    assert denied == {"Patient/jonah"}


# which resources


async def test_only_the_types_asked_for_are_exported_each_file_of_one(here: Bay) -> None:
    await here.person("leslie")
    manifest = await here.manifest(HARBOR, "/fhir/$export?_type=Patient,Condition")
    for each in manifest["output"]:
        answer = await here.clients[HARBOR].get(each["url"])
        lines = [decode_object(line) for line in answer.content.splitlines()]
        assert {line["resourceType"] for line in lines} == {each["type"]}
        assert len(lines) == each["count"]
    assert [each["type"] for each in manifest["output"]] == ["Condition", "Patient"]


async def test_repeated_parameters_are_as_good_as_commas(here: Bay) -> None:
    await here.person("leslie", needs=2)
    first = await here.names(HARBOR, "/fhir/$export?_type=Patient,Condition")
    again = await here.names(HARBOR, "/fhir/$export?_type=Patient&_type=Condition")
    assert first == again == {"Patient/leslie", "Condition/leslie-need-0", "Condition/leslie-need-1"}
    one, two = "Condition?_id=leslie-need-0", "Condition?_id=leslie-need-1"
    assert await here.names(
        HARBOR, f"/fhir/$export?_type=Condition&_typeFilter={one},{two}"
    ) == await here.names(HARBOR, f"/fhir/$export?_type=Condition&_typeFilter={one}&_typeFilter={two}")


async def test_a_type_filter_leaves_only_what_its_query_finds(here: Bay) -> None:
    await here.person("leslie", needs=3)
    query = "Condition?_id=leslie-need-0%2Cleslie-need-2&patient=Patient/leslie".replace("&", "%26")
    found = await here.names(HARBOR, f"/fhir/$export?_type=Condition,Patient&_typeFilter={query}")
    assert found == {"Patient/leslie", "Condition/leslie-need-0", "Condition/leslie-need-2"}


async def test_since_leaves_what_changed_later_and_tells_what_was_deleted(here: Bay) -> None:
    await here.person("leslie", needs=3)
    here.time.passes(seconds=1)
    since = instant(here.time())
    here.time.passes(seconds=1)
    await here.put(HARBOR, {**need("leslie-need-0", "leslie"), "note": [{"text": "again"}]})
    await here.clients[HARBOR].delete("/fhir/Condition/leslie-need-1")
    manifest = await here.manifest(HARBOR, f"/fhir/$export?_type=Condition&_since={since}")
    assert [each["id"] for each in await here.lines(HARBOR, manifest)] == ["leslie-need-0"]
    assert [each["type"] for each in manifest["deleted"]] == ["Bundle"]
    [bundle] = await here.lines(HARBOR, manifest, "deleted")
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    assert [each["request"] for each in bundle["entry"]] == [
        {"method": "DELETE", "url": "Condition/leslie-need-1"}
    ]


async def test_a_deletion_is_told_to_a_partner_only_of_what_it_could_see(here: Bay) -> None:
    await leslie(here)
    here.time.passes(seconds=1)
    since = instant(here.time())
    here.time.passes(seconds=1)
    for id_ in ("leslie", "jonah"):
        await here.clients[HARBOR].delete(f"/fhir/Condition/{id_}-need-0")
    manifest = await here.manifest(RIVERBEND, f"/fhir/$export?_since={since}")
    told = await here.lines(RIVERBEND, manifest, "deleted")
    assert [each["request"]["url"] for one in told for each in one["entry"]] == ["Condition/leslie-need-0"]
    assert not [each for each in manifest["output"] if each["type"] == "Condition"]


async def test_only_the_most_recent_version_is_exported(here: Bay) -> None:
    await here.person("leslie")
    await here.put(HARBOR, {**need("leslie-need-0", "leslie"), "note": [{"text": "again"}]})
    [found] = await here.lines(HARBOR, await here.manifest(HARBOR, "/fhir/$export?_type=Condition"))
    assert found["meta"]["versionId"] == "2"


async def test_the_export_of_clients_holds_their_compartments_and_their_provenance(here: Bay) -> None:
    await here.person("leslie")
    provenance = {
        "resourceType": "Provenance", "id": "origin", "recorded": "2026-03-02T09:00:00Z",
        "target": [{"reference": "Condition/leslie-need-0/_history/1"}],
        "agent": [{"who": {"reference": here.organizations[HARBOR]}}],
    }  # fmt: skip
    await here.put(HARBOR, provenance)
    await here.put(
        HARBOR, {**provenance, "id": "elsewhere", "target": [{"reference": here.organizations[HARBOR]}]}
    )
    found = await here.names(HARBOR, "/fhir/Patient/$export")
    assert found == {*LESLIE, "Provenance/origin"}
    assert {"Provenance/origin", "Provenance/elsewhere", here.organizations[HARBOR]} <= await here.names(
        HARBOR
    )


async def test_the_export_of_a_group_holds_its_present_members_only(here: Bay) -> None:
    for id_ in ("leslie", "jonah", "ana"):
        await here.person(id_)
    members = group("g", "leslie", "jonah")
    members["member"][1]["inactive"] = True
    await here.put(HARBOR, members)
    found = await here.names(HARBOR, "/fhir/Group/g/$export")
    assert {each for each in found if not each.startswith("Group")} == LESLIE


async def test_a_group_is_exported_with_a_token_for_what_is_exported_alone(here: Bay) -> None:
    """As smart-fetch asks: scopes for the types in `_type`, none for Group."""
    await here.person("leslie")
    await here.put(HARBOR, group("g", "leslie"))
    await here.row("UPDATE access_token SET scopes = '{system/Condition.rs}'")
    assert await here.names(HARBOR, "/fhir/Group/g/$export?_type=Condition") == {"Condition/leslie-need-0"}


async def test_a_group_that_is_not_there_for_the_caller_is_absent(here: Bay) -> None:
    await here.person("leslie")
    await here.put(HARBOR, group("g", "leslie"))
    nobody = await here.ask(RIVERBEND, "/fhir/Group/nobody/$export")
    withheld = await here.ask(RIVERBEND, "/fhir/Group/g/$export")
    assert nobody.status_code == withheld.status_code == 404


async def test_named_patients_leave_everybody_else_out(here: Bay) -> None:
    for id_ in ("leslie", "jonah"):
        await here.person(id_)
    wanted = encode({"resourceType": "Parameters", "parameter": [
        {"name": "patient", "valueReference": {"reference": "Patient/leslie"}}]})  # fmt: skip
    assert await here.names(HARBOR, "/fhir/Patient/$export", content=wanted) == LESLIE
    absent = wanted.replace(b"leslie", b"nobody")
    refused = await here.ask(HARBOR, "/fhir/Patient/$export", content=absent)
    assert refused.status_code == 400
    hidden = await here.ask(RIVERBEND, "/fhir/Patient/$export", content=wanted)
    assert (hidden.status_code, hidden.text) == (400, refused.text), "withheld is as absent"


async def test_the_url_of_an_attachment_here_is_absolute_and_takes_the_same_token(here: Bay) -> None:
    await here.person("leslie")
    binary = {"resourceType": "Binary", "id": "letter", "contentType": "text/plain", "data": "SGVsbG8="}
    await here.put(HARBOR, {**binary, "securityContext": {"reference": "Patient/leslie"}})
    attachment = {"contentType": "text/plain", "url": "Binary/letter"}
    document = {
        "resourceType": "DocumentReference", "id": "letter", "status": "current",
        "subject": {"reference": "Patient/leslie"}, "content": [{"attachment": attachment}],
    }  # fmt: skip
    await here.put(HARBOR, document)
    manifest = await here.manifest(HARBOR, "/fhir/Patient/$export")
    assert "Binary" not in {each["type"] for each in manifest["output"]}
    [found] = [
        each for each in await here.lines(HARBOR, manifest) if each["resourceType"] == "DocumentReference"
    ]
    url = found["content"][0]["attachment"]["url"]
    assert url == f"{here.service.base}/Binary/letter"
    assert (await here.clients[HARBOR].get(url, headers={"Accept": "text/plain"})).content == b"Hello"


# status, manifest, files


async def test_an_export_under_way_says_how_far_it_is_and_when_to_look_again(here: Bay) -> None:
    begun = await here.ask(HARBOR)
    look = begun.headers["content-location"]
    first = await here.clients[HARBOR].get(look)
    assert first.status_code == 202
    assert "%" in first.headers["x-progress"]
    assert int(first.headers["retry-after"]) > 0
    again = await here.clients[HARBOR].get(look)
    assert again.status_code == 429
    assert int(again.headers["retry-after"]) > 0
    assert decode_object(again.content)["resourceType"] == "OperationOutcome"
    here.time.passes(seconds=2)
    assert (await here.clients[HARBOR].get(look)).status_code == 202


async def test_the_manifest_says_what_was_asked_when_and_where_the_files_are(here: Bay) -> None:
    await here.person("leslie")
    path = "/fhir/$export?_type=Condition"
    before = instant(here.time())
    begun = await here.ask(HARBOR, path)
    after = instant(here.time())
    await here.works()
    done = await here.clients[HARBOR].get(begun.headers["content-location"])
    assert done.headers["content-type"] == "application/json"
    assert done.headers["expires"]
    manifest = decode_object(done.content)
    assert before <= manifest["transactionTime"] <= after
    assert manifest["request"] == f"{here.service.url}{path}"
    assert manifest["requiresAccessToken"] is True
    [file] = manifest["output"]
    assert (file["type"], file["count"]) == ("Condition", 1)
    assert file["url"].startswith(f"{here.service.base}/export/")
    assert manifest["error"] == []


async def test_the_request_of_a_post_is_its_url_alone(here: Bay) -> None:
    body = encode({"resourceType": "Parameters", "parameter": [{"name": "_type", "valueString": "Patient"}]})
    manifest = await here.manifest(HARBOR, "/fhir/Patient/$export", content=body)
    assert manifest["request"] == f"{here.service.base}/Patient/$export"


async def test_a_file_is_ndjson_compressed_for_whoever_takes_it(here: Bay) -> None:
    await here.person("leslie", needs=30)
    manifest = await here.manifest(HARBOR, "/fhir/$export?_type=Condition")
    [file] = manifest["output"]
    client = here.clients[HARBOR]
    plain = await client.get(
        file["url"], headers={"Accept-Encoding": "identity", "Accept": "application/fhir+ndjson"}
    )
    packed = await client.get(file["url"], headers={"Accept-Encoding": "gzip"})
    assert plain.headers["content-type"].partition(";")[0] == "application/fhir+ndjson"
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.content == packed.content
    assert len(plain.content.splitlines()) == file["count"] == 30
    assert packed.num_bytes_downloaded < plain.num_bytes_downloaded / 4
    head = await client.head(file["url"])
    assert (head.status_code, head.content) == (200, b"")


async def test_an_export_that_is_cancelled_is_gone_with_its_files(here: Bay) -> None:
    await here.person("leslie")
    begun = await here.ask(HARBOR)
    look = begun.headers["content-location"]
    await here.works()
    files = decode_object((await here.clients[HARBOR].get(look)).content)["output"]
    gone = await here.clients[HARBOR].delete(look)
    assert gone.status_code == 202
    for url in (look, *(each["url"] for each in files)):
        answer = await here.clients[HARBOR].get(url)
        assert answer.status_code == 404
        assert decode_object(answer.content)["resourceType"] == "OperationOutcome"
    assert (await here.clients[HARBOR].delete(look)).status_code == 404


async def test_an_export_cancelled_while_a_worker_has_it_stays_cancelled(here: Bay) -> None:
    begun = await here.ask(HARBOR)
    here.time.passes(seconds=3)
    [work] = await take_exports(here.context, 1, 10, [])
    await here.clients[HARBOR].delete(begun.headers["content-location"])
    assert await export(here.context, work) == "lost"
    assert (await here.clients[HARBOR].get(begun.headers["content-location"])).status_code == 404


async def test_what_has_expired_is_gone(here: Bay) -> None:
    await here.person("leslie")
    manifest = await here.manifest(HARBOR)
    here.time.passes(hours=24, seconds=10)
    async with await here.service.client(HARBOR) as later:
        assert (await later.get(manifest["output"][0]["url"])).status_code == 404
    await sweep(here.context)
    assert await here.row("SELECT count(*) FROM export_part") == 0


async def test_what_expires_while_it_is_fetched_is_kept_until_that_is_over(here: Bay) -> None:
    await here.person("leslie")
    manifest = await here.manifest(HARBOR)
    here.time.passes(hours=24, seconds=-5)
    async with await here.service.client(HARBOR) as later:
        assert (await later.get(manifest["output"][0]["url"])).status_code == 200
    here.time.passes(seconds=60)
    await sweep(here.context)
    assert await here.row("SELECT count(*) FROM export") == 1
    here.time.passes(minutes=20)
    await sweep(here.context)
    assert await here.row("SELECT count(*) FROM export") == 0


# others


async def test_anothers_export_is_as_absent_as_one_that_never_was(here: Bay) -> None:
    await here.person("leslie")
    begun = await here.ask(HARBOR)
    await here.works()
    look = begun.headers["content-location"]
    [file, *_] = decode_object((await here.clients[HARBOR].get(look)).content)["output"]
    riverbend = here.clients[RIVERBEND]
    nowhere = f"{here.service.base}/export/nothing"
    for method, url, never in [
        ("GET", look, nowhere), ("DELETE", look, nowhere), ("GET", file["url"], f"{nowhere}/nothing"),
    ]:  # fmt: skip
        theirs, none = await riverbend.request(method, url), await riverbend.request(method, never)
        assert (theirs.status_code, theirs.text) == (none.status_code, none.text)
        assert theirs.status_code == 404
    assert (await here.clients[HARBOR].get(file["url"])).status_code == 200


async def test_a_token_for_less_neither_looks_nor_fetches(here: Bay) -> None:
    manifest = await here.manifest(RIVERBEND, "/fhir/$export?_type=Organization,Location")
    await here.row("UPDATE access_token SET scopes = '{system/Location.rs}'")
    look = manifest["output"][0]["url"].rpartition("/")[0]
    for url in (look, manifest["output"][0]["url"]):
        assert (await here.clients[RIVERBEND].get(url)).status_code == 403


async def test_a_partner_that_is_disabled_gets_nothing_more(here: Bay) -> None:
    await leslie(here)
    begun = await here.ask(RIVERBEND)
    manifest = await here.manifest(RIVERBEND)
    again = await here.ask(RIVERBEND)
    await onboard_partner.disable(here.context, RIVERBEND)
    assert await here.works() == ["dropped"]
    for url in (
        begun.headers["content-location"],
        again.headers["content-location"],
        manifest["output"][0]["url"],
    ):
        assert (await here.clients[RIVERBEND].get(url)).status_code == 401


# workers that die


async def test_another_worker_goes_on_where_a_killed_one_was(
    here: Bay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first worker dies between two pages, with its lease; what it had found is found once."""
    monkeypatch.setattr("service.flows.exports.look.PAGE", 2)
    await here.person("leslie", needs=9)
    begun = await here.ask(HARBOR, "/fhir/$export?_type=Condition")
    here.time.passes(seconds=3)
    [work] = await take_exports(here.context, 1, 10, [])
    monkeypatch.setattr("service.flows.exports.work.PAGES", 2)
    with monkeypatch.context() as dying:
        dying.setattr("service.store.exports.give_up", nothing)
        assert await export(here.context, work) == "more"
    assert await take_exports(here.context, 2, 10, []) == [], "the lease runs"
    here.time.passes(seconds=61)
    assert (await here.works())[-1] == "complete"
    manifest = decode_object((await here.clients[HARBOR].get(begun.headers["content-location"])).content)
    found = [each["id"] for each in await here.lines(HARBOR, manifest)]
    assert sorted(found) == [f"leslie-need-{number}" for number in range(9)]
    assert manifest["output"][0]["count"] == 9
    assert await export(here.context, work) == "lost", "the dead come too late"


async def nothing(*_: Any) -> None:
    """As if the process were gone."""


async def test_a_page_that_cannot_be_read_ends_the_export_with_its_reason(here: Bay) -> None:
    begun = await here.ask(HARBOR)
    await here.row("UPDATE export SET attempts = 9")
    assert await here.works() == ["failed"]
    answer = await here.clients[HARBOR].get(begun.headers["content-location"])
    assert answer.status_code == 422
    assert decode_object(answer.content)["resourceType"] == "OperationOutcome"


async def test_large_files_are_several(here: Bay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.flows.exports.look.PAGE", 2)
    monkeypatch.setattr("service.store.exports.MOST_A_FILE", 4)
    await here.person("leslie", needs=9)
    manifest = await here.manifest(HARBOR, "/fhir/$export?_type=Condition")
    assert [each["count"] for each in manifest["output"]] == [4, 4, 1]
    assert len({each["id"] for each in await here.lines(HARBOR, manifest)}) == 9


async def test_the_capability_statement_names_the_three_exports(here: Bay) -> None:
    told = decode_object((await here.clients[HARBOR].get("/fhir/metadata")).content)
    assert "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data" in told["instantiates"]
    rest = told["rest"][0]
    offered = {
        each["definition"]
        for row in (rest, *(each for each in rest["resource"] if each["type"] in ("Patient", "Group")))
        for each in row["operation"]
        if each["name"] == "export"
    }
    guide = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/"
    assert offered == {guide + "export", guide + "patient-export", guide + "group-export"}
