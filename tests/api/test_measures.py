"""Measure/$evaluate-measure at the FHIR door: who may ask what, and MeasureReports that are kept."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from parts import Service, running

from service.commands.demo import people
from service.coordination.measures.table import measures
from service.fhir.json import decode_object, encode
from service.fhir.validate import load
from service.flows.measures.evaluate import shipped
from service.flows.measures.tell import keep

NOW = datetime(2026, 7, 20, 15, tzinfo=UTC)
CLINIC, STATE = "Riverbend Family Health", "Statewide Recovery Network"
QUARTER = {"periodStart": "2026-04-01", "periodEnd": "2026-06-30"}
CLIENTS = 15


@pytest.fixture
async def harbor(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """Fifteen clients with a referral each; the services of twelve have started."""
    async with running(database_url, tmp_path, clock=lambda: NOW) as service:
        await service.partner(people.HARBOR, "casework")
        await service.partner(CLINIC, "ehr")
        await service.partner(STATE, "funder")
        async with await service.client(people.HARBOR) as http:
            await _put(
                http, "case-managers/victoria-chen", {"name": {"family": "Chen", "given": ["Victoria"]}}
            )
            for number in range(CLIENTS):
                await _client(http, number)
        yield service


async def _client(http: Any, number: int) -> None:
    id_ = f"client-{number}"
    episode = {
        "status": "active",
        "start": "2026-03-02",
        "primaryCaseManager": "victoria-chen",
        "intensity": "intensive",
    }
    await _put(http, f"clients/{id_}", {"name": {"family": f"Moreno {number}"}, "episode": episode})
    asked = {"client": id_, "service": "transitional-housing", "requested": "2026-04-02"}
    await _put(http, f"referrals/{id_}-home", asked)
    if number < 12:
        started = {"client": id_, "service": "transitional-housing", "referral": f"{id_}-home", "status": "in-progress",
                   "period": {"start": "2026-05-04"}}  # fmt: skip
        await _put(http, f"service-outcomes/{id_}-room", started)


async def _put(http: Any, path: str, value: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await http.put(f"/casework/v1/{path}", content=encode(value), headers=headers)
    assert answer.status_code in (200, 201), (path, answer.text)


async def _asked(service: Service, who: str, name: str, **more: str) -> Any:
    async with await service.client(who) as http:
        return await http.get(f"/fhir/Measure/{name}/$evaluate-measure", params={**QUARTER, **more})


def _counts(group: dict[str, Any]) -> dict[str, int | None]:
    return {each["code"]["coding"][0]["code"]: each.get("count") for each in group["population"]}


def _valid(resource: Any) -> None:
    assert [issue.text for issue in load().validate(resource) if issue.fails] == []


async def test_every_measure_of_the_table_is_published_and_valid(harbor: Service) -> None:
    async with await harbor.client(STATE) as http:
        for name in (*measures, "gpra-outcomes"):
            answer = await http.get(f"/fhir/Measure/{name}")
            assert answer.status_code == 200, answer.text
            resource = decode_object(answer.content)
            assert resource == decode_object(encode(shipped()[name]))
            _valid(resource)


async def test_the_case_management_system_is_told_every_count_of_every_measure(harbor: Service) -> None:
    for name in measures:
        answer = await _asked(harbor, people.HARBOR, name)
        assert answer.status_code == 200, (name, answer.text)
        told = decode_object(answer.content)
        _valid(told)
        assert told["measure"] == f"https://casebridge.example/fhir/Measure/{name}|1.0.0"
        assert told["period"] == {"start": "2026-04-01", "end": "2026-06-30"}
        if name == "linkage":
            [group] = told["group"]
            assert _counts(group) == {"denominator": CLIENTS, "numerator": 12}
            assert str(group["measureScore"]["value"]) == "0.8"
            [area] = [each for each in group["stratifier"] if each["code"][0]["text"] == "service area"]
            assert [each["value"]["text"] for each in area["stratum"]] == ["Housing"]


async def test_a_group_of_clients_is_asked_about_by_the_case_management_system(harbor: Service) -> None:
    async with await harbor.client(people.HARBOR) as http:
        found = decode_object((await http.get("/fhir/Patient?_count=3")).content)
        members = [{"entity": {"reference": f"Patient/{each['resource']['id']}"}} for each in found["entry"]]
        group = {"resourceType": "Group", "type": "person", "actual": True, "member": members}
        made = decode_object((await http.post("/fhir/Group", content=encode(group))).content)
    subject = f"Group/{made['id']}"
    told = decode_object((await _asked(harbor, people.HARBOR, "linkage", subject=subject)).content)
    assert _counts(told["group"][0])["denominator"] == 3
    assert told["subject"] == {"reference": subject}
    assert (await _asked(harbor, people.HARBOR, "linkage", subject="Group/nobody")).status_code == 404
    assert (await _asked(harbor, people.HARBOR, "linkage", subject="Patient/x")).status_code == 400


async def test_a_funder_is_told_finished_quarters_without_small_counts_or_names(harbor: Service) -> None:
    answer = await _asked(harbor, STATE, "linkage")
    assert answer.status_code == 200, answer.text
    told = decode_object(answer.content)
    _valid(told)
    [group] = told["group"]
    assert _counts(group) == {"denominator": None, "numerator": None}, "three without a service are too few"
    assert "measureScore" not in group
    masked = group["population"][0]["_count"]["extension"][0]
    assert masked["valueCode"] == "masked"
    told = decode_object((await _asked(harbor, STATE, "timeliness")).content)
    named = {each["code"][0]["text"] for each in told["group"][0]["stratifier"]}
    assert named == {"timer", "intensity"} and b"victoria" not in encode(told).lower()


@pytest.mark.parametrize(
    ("who", "more", "status"),
    [
        (STATE, {"periodEnd": "2026-06-29"}, 403),
        (STATE, {"periodStart": "2026-07-01", "periodEnd": "2026-09-30"}, 403),
        (STATE, {"periodStart": "2026-01-01"}, 403),
        (STATE, {"subject": "Group/x"}, 403),
        (CLINIC, {}, 403),
        (people.HARBOR, {"periodStart": "soon"}, 400),
        (people.HARBOR, {"periodStart": "2026-07-01"}, 400),
        (people.HARBOR, {"reportType": "subject-list"}, 400),
        (people.HARBOR, {"grant": "TI-1"}, 400),
        (people.HARBOR, {"measure": "loops"}, 400),
        (people.HARBOR, {"name": "coverage", "subject": "Group/x"}, 400),
        (people.HARBOR, {"practitioner": "x"}, 400),
    ],
)
async def test_what_may_not_or_cannot_be_asked_is_refused(
    harbor: Service, who: str, more: dict[str, str], status: int
) -> None:
    answer = await _asked(harbor, who, **{"name": "linkage", **more})
    assert answer.status_code == status, answer.text
    assert decode_object(answer.content)["resourceType"] == "OperationOutcome"


async def test_a_measure_is_named_by_its_canonical_at_the_type(harbor: Service) -> None:
    url = "https://casebridge.example/fhir/Measure/linkage"
    parameters = [
        {"name": "measure", "valueString": url},
        *({"name": n, "valueDate": v} for n, v in QUARTER.items()),
    ]
    async with await harbor.client(people.HARBOR) as http:
        body = encode({"resourceType": "Parameters", "parameter": parameters})
        told = await http.post("/fhir/Measure/$evaluate-measure", content=body)
        assert told.status_code == 200, told.text
        unknown = {**QUARTER, "measure": "https://a.example/Measure/x"}
        assert (await http.get("/fhir/Measure/$evaluate-measure", params=unknown)).status_code == 404
        assert (
            await http.get("/fhir/Measure/happiness/$evaluate-measure", params=QUARTER)
        ).status_code == 404


async def test_kept_reports_are_the_case_management_systems_to_read_and_change_only_when_counts_do(
    harbor: Service,
) -> None:
    context, span = harbor.wiring.context, (date(2026, 4, 1), date(2026, 6, 30))
    kept = await keep(context, [], *span)
    assert len(kept) == len(measures) and await keep(context, [], *span) == kept
    async with await harbor.client(people.HARBOR) as http:
        for reference in kept:
            held = decode_object((await http.get(f"/fhir/{reference}")).content)
            _valid(held)
            assert held["meta"]["versionId"] == "1", "kept again, and nothing had changed"
        assert len(decode_object((await http.get("/fhir/MeasureReport?_count=100")).content)["entry"]) == len(
            kept
        )
    async with await harbor.client(STATE) as http:
        assert (await http.get(f"/fhir/{kept[0]}")).status_code == 404


async def test_asking_is_on_the_audit_trail(harbor: Service) -> None:
    await _asked(harbor, STATE, "linkage")
    async with harbor.wiring.context.database.reading() as connection:
        rows = await connection.fetch("SELECT action, detail, organization FROM audit ORDER BY at, id")
    assert any(row["action"] == "measures-told" and row["detail"] == "linkage" for row in rows)
