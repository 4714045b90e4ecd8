"""A Subscription is taken as far as it will be honoured, and refused with the places where it would not be."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from parts import Service

from service.fhir.json import decode_object, encode
from service.flows import accept_subscription
from service.flows.sweep import sweep
from tests.flows.subscriptions.ears import (
    BACKPORT,
    FHIR_JSON,
    NORTHSIDE,
    TASK,
    Ear,
    Time,
    ask,
    due_task,
    extension,
    get,
    subscription,
    value,
    work,
    write,
)

HOOK = "https://partner.example/hook"


async def refused(
    client: httpx.AsyncClient, wanted: dict[str, Any], status: int = 422
) -> list[tuple[str, str]]:
    """(place, text) of each issue."""
    answer = await client.post("/fhir/Subscription", content=encode(wanted), headers=FHIR_JSON)
    assert answer.status_code == status, answer.text
    issues = decode_object(answer.content)["issue"]
    return [(each.get("expression", [""])[0], each["diagnostics"]) for each in issues]


def with_channel(**changes: Any) -> dict[str, Any]:
    wanted = subscription(HOOK)
    return {**wanted, "channel": {**wanted["channel"], **changes}}


def leveled(*levels: str) -> dict[str, Any]:
    return with_channel(
        _payload={"extension": [extension("payload-content", "Code", each) for each in levels]}
    )


R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Subscription.topic"
WRONG = {
    "a query as criteria": (subscription(HOOK, topic="Task?status=requested"), "Subscription.criteria"),
    "an unknown topic": (subscription(HOOK, topic=TASK + "s"), "Subscription.criteria"),
    "another version of a topic": (subscription(HOOK, topic=TASK + "|9.9"), "Subscription.criteria"),
    "an unknown filter": (subscription(HOOK, "colour=red"), "Subscription.criteria.extension[0]"),
    "a filter's unknown modifier": (subscription(HOOK, "status:text=x"), "Subscription.criteria.extension[0]"),
    "a filter of another type": (subscription(HOOK, "Patient?name=x"), "Subscription.criteria.extension[0]"),
    "a filter without a value": (subscription(HOOK, "status="), "Subscription.criteria.extension[0]"),
    "a chain as filter": (subscription(HOOK, "patient.name=x"), "Subscription.criteria.extension[0]"),
    "a filter value that is no date": (
        subscription(HOOK, "_lastUpdated=soon"), "Subscription.criteria.extension[0]",
    ),
    "the second of two filters": (
        subscription(HOOK, "status=requested", "nose=long"), "Subscription.criteria.extension[1]",
    ),
    "a websocket": (with_channel(type="websocket"), "Subscription.channel.type"),
    "an sms": (with_channel(type="sms"), "Subscription.channel.type"),
    "e-mail that is not configured": (
        with_channel(type="email", endpoint="mailto:a@b.example", payload="text/plain"), "Subscription.channel.type",
    ),
    "a custom channel": (
        with_channel(_type={"extension": [extension("channel-type", "Coding", {"system": "http://example.org/channels", "code": "zulip"})]}),
        "Subscription.channel.type.extension",
    ),
    "no content level": (with_channel(_payload={}), "Subscription.channel.payload.extension"),
    "two content levels": (leveled("empty", "id-only"), "Subscription.channel.payload.extension"),
    "an unknown media type": (with_channel(payload="text/html"), "Subscription.channel.payload"),
    "FHIR R5": (with_channel(payload="application/fhir+json; fhirVersion=5.0"), "Subscription.channel.payload"),
    "a header that is none": (with_channel(header=["nonsense"]), "Subscription.channel.header[0]"),
    "a header with a line break": (
        with_channel(header=["A: b", "X: a\r\nHost: evil"]), "Subscription.channel.header[1]",
    ),
    "a header of the connection": (with_channel(header=["Host: other"]), "Subscription.channel.header[0]"),
    "a heartbeat of zero": (subscription(HOOK, heartbeat=0), "Subscription.channel.extension[0]"),
    "an end in the past": (subscription(HOOK, end="2020-01-01T00:00:00Z"), "Subscription.end"),
    "an R5 extension": (
        {**subscription(HOOK), "extension": [{"url": R5, "valueCanonical": TASK}]}, "Subscription",
    ),
    "the status active": ({**subscription(HOOK), "status": "active"}, "Subscription.status"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
async def test_what_will_not_be_honoured_is_refused_with_its_place(
    northside: httpx.AsyncClient, what: str
) -> None:
    wanted, place = WRONG[what]

    assert place in [at for at, _ in await refused(northside, wanted)]


async def test_everything_wrong_is_told_at_once(northside: httpx.AsyncClient) -> None:
    wanted = with_channel(type="websocket", payload="text/html", header=["nonsense"])

    assert len(await refused(northside, {**wanted, "criteria": "Task?x=y"})) >= 4


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data", "https://10.0.0.1/hook", "https://[::1]/hook", "ftp://a.example/",
        "https://user:password@partner.example/hook", "https://[::ffff:127.0.0.2]:99999/hook",
    ],
)  # fmt: skip
async def test_an_endpoint_that_may_not_be_called_is_refused(northside: httpx.AsyncClient, url: str) -> None:
    [(place, _)] = await refused(northside, subscription(url))

    assert place == "Subscription.channel.endpoint"


async def test_the_answer_to_a_create_has_the_headers_and_nobody_reads_their_values_again(
    service: Service, northside: httpx.AsyncClient, harbor: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url, header=["Authorization: Bearer s3cret"]))

    assert made["status"] == "requested"
    assert made["channel"]["header"] == ["Authorization: Bearer s3cret"]
    for client in (northside, harbor):
        found = await get(client, f"Subscription/{made['id']}")
        assert found["channel"]["header"] == ["Authorization: ***"]
    async with service.wiring.context.database.reading() as connection:
        dump = await connection.fetchval("SELECT string_agg(s::text, '') FROM subscription s")
        bodies = await connection.fetchval("SELECT string_agg(encode(body, 'escape'), '') FROM resource")
    assert "s3cret" not in dump + bodies


async def test_a_masked_header_keeps_its_value_when_the_subscription_is_put_back(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url, header=["Authorization: Bearer s3cret"]))
    await work(service)
    found = await get(northside, f"Subscription/{made['id']}")

    changed = await write(northside, {**found, "reason": "another reason"})
    await write(northside, due_task())
    await work(service)

    assert changed["status"] == "active", "the endpoint is the same: no new handshake"
    assert ear.got[-1][0]["authorization"] == "Bearer s3cret"


async def test_a_new_endpoint_is_greeted_before_it_is_told_anything(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url))
    await work(service)
    found = await get(northside, f"Subscription/{made['id']}")
    found["channel"]["endpoint"] = ear.url + "/new"

    assert (await write(northside, found))["status"] == "requested"


async def test_header_values_never_follow_to_another_endpoint(
    service: Service, northside: httpx.AsyncClient, harbor: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url, header=["Authorization: Bearer s3cret"]))
    found = await get(harbor, f"Subscription/{made['id']}")
    found["channel"]["endpoint"] = ear.url + "/elsewhere"

    answer = await harbor.put(f"/fhir/Subscription/{made['id']}", content=encode(found), headers=FHIR_JSON)

    assert answer.status_code == 422
    assert "Subscription.channel.header[0]" in answer.text


async def test_a_client_can_end_and_begin_again(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url))
    await work(service)
    off = await write(northside, {**made, "status": "off"})
    assert off["status"] == "off"
    await write(northside, due_task("unheard"))
    assert await work(service) == []

    again = await write(northside, {**made, "status": "requested"})
    await work(service)
    await write(northside, due_task("heard"))
    await work(service)

    assert again["status"] == "requested"
    assert ear.kinds() == ["handshake", "handshake", "event-notification"]
    assert ear.numbers() == [1]


async def test_the_server_alone_says_how_a_subscription_is(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url))
    forged = {**made, "status": "error", "error": "not so"}

    answer = await northside.put(
        f"/fhir/Subscription/{made['id']}", content=encode(forged), headers=FHIR_JSON
    )

    assert answer.status_code == 422


async def test_a_subscription_is_its_makers_alone(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url))
    await service.partner("Lakeview", "referral-recipient")
    async with await service.client("Lakeview") as lakeview:
        where = f"/fhir/Subscription/{made['id']}"
        assert (await lakeview.get(where)).status_code == 404
        assert (await lakeview.get(where + "/$status")).status_code == 404
        assert (await lakeview.get(where + "/$events")).status_code == 404
        put = await lakeview.put(where, content=encode(made), headers=FHIR_JSON)
        assert put.status_code == 404
        await lakeview.delete(where)
        assert (await get(lakeview, "Subscription")).get("entry", []) == []
        assert (await get(lakeview, "Subscription/$status"))["total"] == 0
    assert (await get(northside, f"Subscription/{made['id']}"))["id"] == made["id"]


async def test_a_topic_is_for_those_whose_token_covers_its_type(service: Service, ear: Ear) -> None:
    await service.partner("Funder", "funder", scopes=("system/Subscription.cruds",))
    async with await service.client("Funder") as funder:
        [(_, text)] = await refused(funder, subscription(ear.url), 403)

    assert "system/Task.r" in text


async def test_a_partner_has_so_many_subscriptions_and_no_more(
    northside: httpx.AsyncClient, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accept_subscription, "MOST", 2)
    await ask(northside, subscription(ear.url))
    await ask(northside, subscription(ear.url))

    [(_, text)] = await refused(northside, subscription(ear.url))

    assert "at most 2" in text


async def test_subscriptions_are_found_by_url_and_status(northside: httpx.AsyncClient, ear: Ear) -> None:
    made = await ask(northside, subscription(ear.url))
    await ask(northside, subscription(ear.url + "/other"))

    found = await get(northside, f"Subscription?url={ear.url}&status=requested")

    assert [each["resource"]["id"] for each in found["entry"]] == [made["id"]]


async def test_topics_are_published_and_named_in_the_capability_statement(
    northside: httpx.AsyncClient,
) -> None:
    listed = await get(northside, "SubscriptionTopic")
    urls = {each["resource"]["url"] for each in listed["entry"]}
    statement = await get(northside, "metadata")

    [row] = [each for each in statement["rest"][0]["resource"] if each["type"] == "Subscription"]
    named = {each["valueCanonical"] for each in row["extension"]}
    assert TASK in urls
    assert named == urls
    assert BACKPORT + "subscription" in row["supportedProfile"]
    assert {"status", "events"} <= {each["name"] for each in row["operation"]}
    code = {each["code"] for each in row["interaction"]}
    assert {"read", "create", "update", "delete", "search-type"} <= code
    instantiated = (
        "http://hl7.org/fhir/uv/subscriptions-backport/CapabilityStatement/backport-subscription-server-r4"
    )
    assert instantiated in statement["instantiates"]


async def test_the_topics_of_the_sdohcc_guide_are_offered_under_its_own_names(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    topic = "http://hl7.org/fhir/us/sdoh-clinicalcare/SubscriptionTopic/Task"
    await ask(northside, subscription(ear.url, "status=completed", topic=topic))
    await work(service)
    await write(northside, due_task(status="completed"))  # intent plan: no order

    assert await work(service) == []


# $status and $events


async def test_status_is_a_searchset_of_the_callers_own_filtered_by_id_and_status(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    one = await ask(northside, subscription(ear.url))
    await work(service)
    two = await ask(northside, subscription(ear.url))

    async def told(query: str) -> set[str]:
        bundle = await get(northside, f"Subscription/$status{query}")
        assert bundle["type"] == "searchset"
        found = [value({"entry": [each]}, "subscription")["reference"] for each in bundle.get("entry", [])]
        return {each.rpartition("/")[2] for each in found}

    assert await told("") == {one["id"], two["id"]}
    assert await told(f"?id={one['id']}") == {one["id"]}
    assert await told(f"?id={one['id']}&id={two['id']}") == {one["id"], two["id"]}
    assert await told("?status=active") == {one["id"]}
    assert await told("?status=active,requested") == {one["id"], two["id"]}
    assert await told("?status=off") == set()
    instance = await get(northside, f"Subscription/{one['id']}/$status?status=off&id=other")
    assert value(instance, "status") == "active", "at an instance, id and status are ignored"
    assert value(instance, "type") == "query-status"


async def test_events_are_asked_for_by_number_and_both_bounds_count(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url))
    for number in range(5):
        await write(northside, due_task(f"task {number}"))

    async def numbers(query: str) -> list[str]:
        bundle = await get(northside, f"Subscription/{made['id']}/$events{query}")
        assert bundle["type"] == "history"
        assert value(bundle, "type") == "query-event"
        named = [r for r in bundle["entry"][0]["resource"]["parameter"] if r["name"] == "notification-event"]
        return [each["part"][0]["valueString"] for each in named]

    assert await numbers("") == ["1", "2", "3", "4", "5"]
    assert await numbers("?eventsSinceNumber=4") == ["4", "5"]
    assert await numbers("?eventsSinceNumber=2&eventsUntilNumber=3") == ["2", "3"]
    assert await numbers("?eventsSinceNumber=0&eventsUntilNumber=1") == ["1"]
    assert await numbers("?eventsSinceNumber=6") == []
    full = await get(
        northside, f"Subscription/{made['id']}/$events?content=full-resource&eventsSinceNumber=5"
    )
    assert full["entry"][1]["resource"]["description"] == "task 4"
    for wrong in ("eventsSinceNumber=x", "eventsSinceNumber=-1", "content=everything", "nothing=1"):
        answer = await northside.get(f"/fhir/Subscription/{made['id']}/$events?{wrong}")
        assert answer.status_code == 400, wrong


async def test_events_are_forgotten_after_the_days_they_are_kept_and_the_counter_says_so(
    service: Service, northside: httpx.AsyncClient, ear: Ear, time: Time
) -> None:
    made = await ask(northside, subscription(ear.url))
    await write(northside, due_task())
    await get(northside, f"Subscription/{made['id']}/$status")
    time.ahead += timedelta(days=31)
    await sweep(service.wiring.context)

    async with await service.client(NORTHSIDE) as later:
        bundle = await get(later, f"Subscription/{made['id']}/$events")

    assert value(bundle, "events-since-subscription-start") == "1"
    assert len(bundle["entry"]) == 1


async def test_the_custodian_sees_a_partners_subscription_masked_and_can_end_it(
    northside: httpx.AsyncClient, harbor: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url, header=["A: b"]))
    seen = await get(harbor, f"Subscription/{made['id']}")

    ended = await write(harbor, {**seen, "status": "off"})

    assert ended["status"] == "off"
    assert ended["channel"]["header"] == ["A: ***"]
