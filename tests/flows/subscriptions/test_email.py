"""Subscriptions by e-mail: words and a link, through the SMTP server that the operator set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from parts import Service, running

from service.fhir.json import decode_object, encode
from tests.flows.subscriptions.ears import (
    FHIR_JSON,
    NORTHSIDE,
    ask,
    due_task,
    get,
    subscription,
    value,
    work,
    write,
)
from tests.flows.subscriptions.office import Office, open_office


@asynccontextmanager
async def town(database_url: str, folder: Path) -> AsyncIterator[tuple[Service, Office]]:
    async with (
        open_office() as office,
        running(database_url, folder, smtp_url=office.url) as service,
    ):
        await service.partner(NORTHSIDE, "referral-recipient")
        yield service, office


def by_mail(
    mime: str = "text/plain", content: str = "empty", to: str = "mailto:desk@northside.example"
) -> Any:
    wanted = subscription("https://unused.example", content=content, mime=mime)
    return {**wanted, "channel": {**wanted["channel"], "type": "email", "endpoint": to}}


async def test_an_email_says_that_there_is_news_and_names_nothing(database_url: str, tmp_path: Path) -> None:
    async with (
        town(database_url, tmp_path) as (service, office),
        await service.client(NORTHSIDE) as northside,
    ):
        made = await ask(northside, by_mail())
        await work(service)
        task = await write(northside, due_task("call Leslie Moreno"))
        await work(service)

        handshake, news = office.got
        assert (await get(northside, f"Subscription/{made['id']}"))["status"] == "active"
        assert handshake["To"] == news["To"] == "desk@northside.example"
        text = news.get_content()
        assert f"{service.base}/Subscription/{made['id']}/$events" in text
        assert task["id"] not in text
        assert "Leslie" not in text


async def test_a_notification_can_be_attached_with_references_at_most(
    database_url: str, tmp_path: Path
) -> None:
    async with (
        town(database_url, tmp_path) as (service, office),
        await service.client(NORTHSIDE) as northside,
    ):
        await ask(northside, by_mail("application/fhir+json", "id-only"))
        await work(service)
        await write(northside, due_task("call Leslie Moreno"))
        await work(service)

        [attached] = office.got[-1].iter_attachments()
        bundle = decode_object(attached.get_content())
        assert value(bundle, "type") == "event-notification"
        assert b"Leslie" not in attached.get_content()
        refused = by_mail("application/fhir+json", "full-resource")
        answer = await northside.post("/fhir/Subscription", content=encode(refused), headers=FHIR_JSON)
        assert answer.status_code == 422


async def test_a_mailbox_that_there_is_not_fails_the_handshake(database_url: str, tmp_path: Path) -> None:
    async with (
        town(database_url, tmp_path) as (service, office),
        await service.client(NORTHSIDE) as northside,
    ):
        office.refusing = 550
        made = await ask(northside, by_mail())
        await work(service)

        found = await get(northside, f"Subscription/{made['id']}")
        assert found["status"] == "error"
        assert "550" in found["error"]


async def test_an_address_is_one_mailto(database_url: str, tmp_path: Path) -> None:
    async with town(database_url, tmp_path) as (service, _), await service.client(NORTHSIDE) as northside:
        for wrong in (
            "desk@northside.example",
            "mailto:a@b.example,c@d.example",
            "mailto:a@b.example?bcc=x@y.example",
        ):
            wanted = by_mail(to=wrong)
            answer = await northside.post("/fhir/Subscription", content=encode(wanted), headers=FHIR_JSON)
            assert answer.status_code == 422, wrong
