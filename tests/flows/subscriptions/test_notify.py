"""A subscriber is told what happens, in order, until it has it."""

from datetime import timedelta

import httpx
import pytest
from parts import Service

from service.fhir.json import encode
from service.flows import onboard_partner
from service.flows.subscriptions.notify import notify, take_subscribers
from service.kernel.clock import instant, system_clock
from tests.flows.subscriptions.ears import (
    NORTHSIDE,
    Ear,
    Time,
    ask,
    due_task,
    event_numbers,
    events,
    file,
    get,
    record,
    referred,
    rows,
    subscription,
    value,
    work,
    work_all,
    write,
)

NOTIFICATION = (
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription-notification-r4"
)
STATUS = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription-status-r4"


async def test_a_new_subscription_is_requested_and_active_once_its_endpoint_took_the_handshake(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url))
    assert made["status"] == "requested"

    await work(service)

    [handshake] = ear.bundles
    assert value(handshake, "type") == "handshake"
    assert value(handshake, "events-since-subscription-start") == "0"
    assert (await get(northside, f"Subscription/{made['id']}"))["status"] == "active"


@pytest.mark.parametrize("status", [301, 400, 404, 410, 500, 503])
async def test_a_handshake_that_is_not_taken_leaves_the_subscription_in_error(
    service: Service, northside: httpx.AsyncClient, ear: Ear, status: int
) -> None:
    made = await ask(northside, subscription(ear.url))
    ear.answers = [status]

    await work(service)

    found = await get(northside, f"Subscription/{made['id']}")
    assert found["status"] == "error"
    assert str(status) in found["error"]


async def test_an_endpoint_that_cannot_be_reached_fails_the_handshake(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url))
    ear.away = True

    await work(service)

    assert (await get(northside, f"Subscription/{made['id']}"))["status"] == "error"


async def test_nothing_is_told_before_the_handshake_is_answered_and_what_happened_meanwhile_comes_after(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    await ask(northside, subscription(ear.url))
    await write(northside, due_task())

    await work_all(service)

    assert ear.kinds() == ["handshake", "event-notification"]
    assert ear.numbers() == [1]


async def test_each_change_is_one_event_numbered_from_one_without_gaps(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    await ask(northside, subscription(ear.url, max_count=1))
    await work(service)
    task = await write(northside, due_task())
    await write(northside, {**task, "description": "call again"})
    await northside.delete(f"/fhir/Task/{task['id']}")

    await work_all(service)

    assert ear.numbers() == [1, 2, 3]
    methods = [each["entry"][1]["request"]["method"] for each in ear.bundles[1:]]
    assert methods == ["POST", "PUT", "DELETE"]


async def test_events_are_batched_up_to_max_count(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    await ask(northside, subscription(ear.url, max_count=3))
    await work(service)
    for number in range(7):
        await write(northside, due_task(f"task {number}"))

    await work_all(service)

    assert [event_numbers(each) for each in ear.bundles[1:]] == [["1", "2", "3"], ["4", "5", "6"], ["7"]]
    assert {value(each, "events-since-subscription-start") for each in ear.bundles[1:]} == {"7"}


async def test_every_notification_is_a_history_bundle_that_begins_with_the_status(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url, content="full-resource"))
    await work(service)
    await write(northside, due_task())
    await work(service)

    url = f"{service.base}/Subscription/{made['id']}"
    for bundle in ear.bundles:
        assert bundle["type"] == "history"
        assert bundle["meta"]["profile"] == [NOTIFICATION]
        first = bundle["entry"][0]
        assert first["resource"]["meta"]["profile"] == [STATUS]
        assert first["request"] == {"method": "GET", "url": f"{url}/$status"}
        assert value(bundle, "subscription") == {"reference": url}
        assert all("request" in entry and "response" in entry for entry in bundle["entry"])
        failing = [each for each in service.wiring.context.check(bundle, [NOTIFICATION]) if each.fails]
        assert not failing, [each.text for each in failing]


async def test_an_empty_notification_names_nothing(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    await ask(northside, subscription(ear.url, content="empty"))
    await work(service)
    task = await write(northside, due_task())
    await work(service)

    bundle = ear.bundles[-1]
    assert len(bundle["entry"]) == 1
    assert set(events(bundle)[0]) == {"event-number", "timestamp"}
    assert value(bundle, "topic") is None
    assert task["id"].encode() not in ear.got[-1][1]


async def test_an_id_only_notification_has_references_and_no_resource(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    await ask(northside, subscription(ear.url, content="id-only"))
    await work(service)
    task = await write(northside, due_task())
    await work(service)

    bundle = ear.bundles[-1]
    where = f"{service.base}/Task/{task['id']}"
    assert events(bundle)[0]["focus"] == {"reference": where}
    [_, entry] = bundle["entry"]
    assert entry["fullUrl"] == where
    assert "resource" not in entry


async def test_a_full_notification_carries_the_version_that_the_event_is_about(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    await ask(northside, subscription(ear.url, content="full-resource"))
    await work(service)
    task = await write(northside, due_task("first"))
    await write(northside, {**task, "description": "second"})
    await work(service)

    bundle = ear.bundles[-1]
    assert [each["resource"]["description"] for each in bundle["entry"][1:]] == ["first", "second"]
    assert value(bundle, "topic") == "https://casebridge.example/fhir/SubscriptionTopic/task"


async def test_the_content_type_and_every_header_are_as_the_subscription_says(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    headers = ["Authorization: Bearer s3cret", "X-Room: a", "X-Room: b"]
    mime = "application/fhir+json; fhirVersion=4.0"
    await ask(northside, subscription(ear.url, header=headers, mime=mime))
    await work(service)

    sent, _ = ear.got[0]
    assert sent["content-type"] == mime
    assert sent["authorization"] == "Bearer s3cret"
    assert sent["x-room"] == "b", "the last of two lines, as this endpoint reads them"


async def test_notifications_can_be_xml(service: Service, northside: httpx.AsyncClient, ear: Ear) -> None:
    await ask(northside, subscription(ear.url, mime="application/fhir+xml"))
    await work(service)

    headers, body = ear.got[0]
    assert headers["content-type"] == "application/fhir+xml"
    assert body.startswith(b"<")
    assert b'<type value="history"/>' in body


async def test_filters_must_all_hold(service: Service, northside: httpx.AsyncClient, ear: Ear) -> None:
    await ask(northside, subscription(ear.url, "status=completed,failed", "Task?priority=urgent"))
    await work(service)
    await write(northside, due_task(status="completed"))
    await write(northside, due_task(priority="urgent"))
    await write(northside, due_task(status="failed", priority="urgent"))

    await work_all(service)

    assert ear.numbers() == [1]


@pytest.mark.parametrize("away", [timedelta(seconds=12), timedelta(hours=1), timedelta(days=2)])
async def test_an_endpoint_that_was_away_gets_all_events_after_it_in_order_none_twice(
    service: Service, northside: httpx.AsyncClient, ear: Ear, time: Time, away: timedelta
) -> None:
    await ask(northside, subscription(ear.url, max_count=2))
    await work(service)
    ear.away = True
    began, steps, written = time.ahead, 12, 0
    for step in range(1, steps + 1):
        time.ahead = began + away * step / steps
        async with await service.client(NORTHSIDE) as client:
            await write(client, due_task(f"task {step}"))
        written += 1
        await work_all(service)
    ear.away = False
    assert ear.numbers() == []

    time.ahead += timedelta(days=1, hours=6)  # the longest wait of the schedule, and its jitter
    await work_all(service)

    assert ear.numbers() == list(range(1, written + 1))


async def test_what_was_taken_but_not_acknowledged_comes_again_under_the_same_numbers(
    service: Service, northside: httpx.AsyncClient, ear: Ear, time: Time
) -> None:
    await ask(northside, subscription(ear.url))
    await work(service)
    await write(northside, due_task())
    ear.answers = [500]
    assert await work(service) == ["later"]
    time.ahead += timedelta(minutes=1)

    assert await work(service) == ["told"]

    assert ear.numbers() == [1]


async def test_a_subscription_that_failed_too_long_is_in_error_counts_on_and_is_woken_by_its_client(
    service: Service, northside: httpx.AsyncClient, ear: Ear, time: Time
) -> None:
    made = await ask(northside, subscription(ear.url))
    await work(service)
    await write(northside, due_task())
    ear.away = True
    for _ in range(12):
        await work(service)
        time.ahead += timedelta(days=2)
    async with await service.client(NORTHSIDE) as later:
        found = await get(later, f"Subscription/{made['id']}")
        assert found["status"] == "error"
        await write(later, due_task("while it is in error"))
        assert await work_all(service) == [], "the server does not wake it"
        told = await get(later, f"Subscription/{made['id']}/$status")
        assert value(told, "events-since-subscription-start") == "2"
        assert value(told, "status") == "error"
        ear.away = False

        await write(later, {**found, "status": "requested"})
        await work_all(service)

        assert ear.kinds()[-2:] == ["handshake", "event-notification"]
        assert ear.numbers() == [1, 2]
        assert (await get(later, f"Subscription/{made['id']}"))["status"] == "active"


async def test_an_endpoint_that_is_gone_for_good_puts_the_subscription_in_error_at_once(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url))
    await work(service)
    await write(northside, due_task())
    ear.answers = [410]

    assert await work(service) == ["error"]

    assert (await get(northside, f"Subscription/{made['id']}"))["status"] == "error"


async def test_a_heartbeat_comes_when_it_was_asked_for_and_counts_nothing(
    service: Service, northside: httpx.AsyncClient, ear: Ear, time: Time
) -> None:
    await ask(northside, subscription(ear.url, heartbeat=60))
    await work(service)
    assert await work(service) == []
    time.ahead += timedelta(seconds=61)

    await work(service)

    assert ear.kinds() == ["handshake", "heartbeat"]
    assert value(ear.bundles[-1], "events-since-subscription-start") == "0"
    assert events(ear.bundles[-1]) == []
    assert await work(service) == []


async def test_no_heartbeat_comes_unasked(
    service: Service, northside: httpx.AsyncClient, ear: Ear, time: Time
) -> None:
    await ask(northside, subscription(ear.url))
    await work(service)
    time.ahead += timedelta(days=30)

    assert await work(service) == []


async def test_a_notification_may_take_as_long_as_its_timeout_and_no_longer(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url, timeout=1))
    ear.silent = True

    await work(service)

    found = await get(northside, f"Subscription/{made['id']}")
    assert found["error"] == "the handshake failed: no answer: timeout"


async def test_a_subscription_ends_when_it_says(
    service: Service, northside: httpx.AsyncClient, ear: Ear, time: Time
) -> None:
    end = (time() + timedelta(hours=1)).isoformat()
    made = await ask(northside, subscription(ear.url, end=end))
    await work(service)
    time.ahead += timedelta(hours=2)

    assert await work(service) == ["off"]

    async with await service.client(NORTHSIDE) as later:
        assert (await get(later, f"Subscription/{made['id']}"))["status"] == "off"
        await write(later, due_task())
    assert await work(service) == []


async def test_a_disabled_partner_is_told_nothing_more(
    service: Service, harbor: httpx.AsyncClient, northside: httpx.AsyncClient, ear: Ear
) -> None:
    await ask(northside, subscription(ear.url))
    await work(service)
    await referred(harbor)

    await onboard_partner.disable(service.wiring.context, NORTHSIDE)
    await work_all(service)

    assert ear.kinds() == ["handshake"]


async def test_a_deleted_subscription_is_told_nothing_more(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url))
    await work(service)
    await write(northside, due_task())

    answer = await northside.delete(f"/fhir/Subscription/{made['id']}")

    assert answer.status_code in (200, 204)
    assert await work(service) == []
    assert ear.kinds() == ["handshake"]


# who may know


async def test_a_partner_is_told_of_its_referral_with_the_part_2_notice(
    service: Service, harbor: httpx.AsyncClient, northside: httpx.AsyncClient, ear: Ear
) -> None:
    await ask(northside, subscription(ear.url, content="full-resource"))
    await work(service)
    await referred(harbor)

    await work(service)

    [task] = [entry["resource"] for entry in ear.bundles[-1]["entry"][1:]]
    assert task["resourceType"] == "Task"
    assert "42CFRPart2" in {label["code"] for label in task["meta"]["security"]}
    assert "protected by Federal confidentiality rules (42 CFR part 2)" in encode(task).decode()
    assert "with the client's written consent of" in encode(task).decode()
    labels = ear.bundles[-1]["meta"]["security"]
    assert [label["code"] for label in labels if label["system"].endswith("v3-Confidentiality")] == ["R"]
    assert "protected by Federal confidentiality rules (42 CFR part 2)" in encode(labels).decode()
    assert ear.bundles[-1]["meta"]["profile"] == [NOTIFICATION]


async def test_what_a_partner_asks_for_afterwards_is_labelled_as_what_it_was_told(
    service: Service, harbor: httpx.AsyncClient, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url, content="full-resource"))
    await work(service)
    await referred(harbor)
    await work(service)

    asked = await get(northside, f"Subscription/{made['id']}/$events")

    assert asked["meta"]["security"] == ear.bundles[-1]["meta"]["security"]


async def test_what_a_partner_may_not_know_gives_it_no_number(
    service: Service, harbor: httpx.AsyncClient, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url))
    await work(service)
    await write(harbor, due_task("nobody else's"))

    await work_all(service)

    assert ear.numbers() == []
    told = await get(northside, f"Subscription/{made['id']}/$status")
    assert value(told, "events-since-subscription-start") == "0"


async def test_consent_is_asked_when_it_is_sent_and_a_refusal_tells_number_and_time_alone(
    service: Service, harbor: httpx.AsyncClient, northside: httpx.AsyncClient, ear: Ear, time: Time
) -> None:
    await ask(northside, subscription(ear.url, content="full-resource"))
    await work(service)
    ear.answers = [503]
    task = await referred(harbor)
    assert await work(service) == ["later"], "numbered, and not taken"
    revocation = {"at": instant(system_clock()), "how": "written"}
    await file(
        harbor, "consents", record("consents", expires="2099-12-31", status="inactive", revoked=revocation)
    )
    time.ahead += timedelta(minutes=1)

    await work(service)

    bundle = ear.bundles[-1]
    assert event_numbers(bundle) == ["1"]
    assert set(events(bundle)[0]) == {"event-number", "timestamp"}
    assert len(bundle["entry"]) == 1
    assert task.partition("/")[2].encode() not in ear.got[-1][1]


async def test_what_was_told_about_a_client_is_in_the_accounting_of_disclosures(
    service: Service, harbor: httpx.AsyncClient, northside: httpx.AsyncClient, ear: Ear
) -> None:
    await ask(northside, subscription(ear.url))
    await work(service)
    task = await referred(harbor)
    await work(service)

    async with service.wiring.context.database.reading() as connection:
        found = await connection.fetch(
            "SELECT about, basis, consents, outcome FROM audit WHERE kind = 'disclosure' AND action = 'notify'"
        )

    [row] = found
    assert task in row["about"]
    assert any(each.startswith("Patient/") for each in row["about"])
    assert (row["basis"], row["outcome"]) == ("consent", "0")
    assert row["consents"]


async def test_a_worker_that_lost_its_lease_settles_nothing(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    made = await ask(northside, subscription(ear.url))
    await work(service)
    await write(northside, due_task())
    context = service.wiring.context
    [taken] = await take_subscribers(context, 1, 10, [])
    found = await get(northside, f"Subscription/{made['id']}")
    await write(northside, {**found, "status": "requested", "reason": "asked anew"})

    assert await notify(context, service.wiring.outside, taken) == "lost"

    assert (await get(northside, f"Subscription/{made['id']}"))["status"] == "requested"
    assert rows(ear.bundles[-1])
