"""The metrics page: how the service stands, in labels of our own making."""

import re

import httpx
from parts import Service

LINE = re.compile(r'^[a-z_]+(\{([a-z]+="[^"]*",?)*\})? [0-9.e+-]+$')


async def page(service: Service) -> list[str]:
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
        answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.text.splitlines()


def number(lines: list[str], start: str) -> float:
    found = [float(line.rpartition(" ")[2]) for line in lines if line.startswith(start)]
    return sum(found)


async def test_requests_are_counted_by_template_method_and_status(service: Service) -> None:
    await service.partner("Clinic", "ehr")
    route = '{method="GET",route="/fhir/{type}/{id}",status="404"}'
    before = number(await page(service), f"casebridge_requests_total{route}")
    async with await service.client("Clinic") as client:
        for id_ in ("Moreno-1991-11-23", "leslie", "x" * 64):
            assert (await client.get(f"/fhir/Patient/{id_}?_summary=false")).status_code == 404
        await client.request("PROPFIND", "/fhir/Patient/leslie")
        await client.get("/Moreno/1991-11-23")
    lines = await page(service)
    assert number(lines, f"casebridge_requests_total{route}") - before == 3
    assert number(lines, 'casebridge_requests_total{method="other"') >= 1
    assert number(lines, 'casebridge_request_seconds_count{route="/fhir/{type}/{id}"}') >= 3
    assert not re.search("moreno|leslie|1991-11|xxxx", "\n".join(lines), re.IGNORECASE)


async def test_every_line_is_one_that_prometheus_reads_and_every_metric_says_what_it_is(
    service: Service,
) -> None:
    lines = await page(service)
    assert [line for line in lines if not line.startswith("#") and not LINE.match(line)] == []
    names = {re.split(r"[{ ]", line)[0] for line in lines if line and not line.startswith("#")}
    told = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    for name in names:
        assert any(name == each or name.startswith(f"{each}_") for each in told), name


async def test_the_outbox_the_audit_the_pool_and_the_workers_are_on_it(service: Service) -> None:
    await service.partner("Clinic", "ehr")
    lines = await page(service)
    assert number(lines, "casebridge_audit_unsealed ") >= 1
    assert number(lines, "casebridge_audit_unsealed_seconds ") >= 0
    assert number(lines, "casebridge_workers ") == 0
    assert number(lines, "casebridge_delivery_lag_seconds ") == 0
    assert number(lines, 'casebridge_database_connections{state="active"}') >= 1
    assert "# TYPE casebridge_deliveries gauge" in lines


async def test_events_of_the_log_are_counted_whether_they_are_written_or_not(service: Service) -> None:
    before = number(await page(service), 'casebridge_events_total{event="token-refused"}')
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
        await http.post("/auth/token", data={"grant_type": "client_credentials", "scope": "system/*.rs",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": "a.b.c"})  # fmt: skip
    assert number(await page(service), 'casebridge_events_total{event="token-refused"}') - before == 1
