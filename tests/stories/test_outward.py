"""A referral goes out to an agency and comes back."""

from pathlib import Path

from town import eventually, gives_leslie_away, town

from service.commands.demo import people
from service.commands.demo.people import HOUSING, NORTHSIDE
from service.kernel.clock import system_clock
from service.simulator.process import Plan
from service.simulator.staff import REASON


async def test_a_referral_is_delivered_worked_on_and_told_step_by_step(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=0.1)) as here:
        northside = here.agencies[NORTHSIDE]
        await here.file_everybody()
        filed = await here.file("referrals", HOUSING, people.housing(system_clock))

        await here.until("referral-completed", referral=HOUSING)

        assert [each["kind"] for each in here.events] == [
            "referral-delivered", "referral-accepted", "referral-in-progress", "referral-completed",
        ]  # fmt: skip
        assert all(each["client"] == "leslie-moreno" for each in here.events)
        [task] = northside.store.all("Task")
        [request] = northside.store.all("ServiceRequest")
        [patient] = northside.store.all("Patient")
        assert task.resource["status"] == "completed"
        assert task.resource["focus"]["reference"] == request.reference
        assert (
            task.resource["for"]["reference"] == patient.reference == request.resource["subject"]["reference"]
        )
        ours = next(each for each in filed["resources"] if each.startswith("Task/"))
        theirs = (await here.fhir(ours))["output"][0]["valueReference"]["reference"]
        [procedure] = northside.store.all("Procedure")
        assert theirs == f"{northside.base}/{procedure.reference}", "their Procedure, where it can be read"
        shown = await here.casework.ask("GET", f"/casework/v1/referrals/{HOUSING}")
        assert shown.body["status"] == "completed"
        asked = next(each for each in filed["resources"] if each.startswith("ServiceRequest/"))
        assert (await here.fhir(asked))["status"] == "completed", "the requester's duty"


async def test_a_rejection_comes_back_with_its_reason(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "reject", pace=0.1)) as here:
        await here.file_everybody()
        filed = await here.file("referrals", HOUSING, people.housing(system_clock))

        told = await here.until("referral-rejected", referral=HOUSING)

        assert told["reason"] == REASON
        asked = next(each for each in filed["resources"] if each.startswith("ServiceRequest/"))
        assert (await here.fhir(asked))["status"] == "revoked"


async def test_an_answer_that_is_lost_makes_nothing_twice(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=0.1)) as here:
        northside = here.agencies[NORTHSIDE]
        faults = iter(
            [None, "reset-after"]
        )  # the token is given; the transaction is done, its answer is lost
        northside.manner.fault = lambda: next(faults, None)  # type: ignore[method-assign]
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))
        await eventually(lambda: list(northside.store.all("Task")))
        tries = "SELECT 1 FROM attempt WHERE outcome = 'retry'"
        await eventually(lambda: here.sql(tries))

        await here.time_passes()
        await here.until("referral-completed", referral=HOUSING)

        posted = [
            each for each in northside.notebook.heard if each.target == "/fhir" and each.method == "POST"
        ]
        assert len(posted) == 2
        for type_ in ("Patient", "ServiceRequest", "Task"):
            assert len(list(northside.store.all(type_))) == 1
        kinds = [each["kind"] for each in here.events]
        assert kinds.count("referral-delivered") == 1


async def test_what_would_not_be_valid_fhir_does_not_leave(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "down", pace=0.1)) as here:
        northside = here.agencies[NORTHSIDE]
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))
        await eventually(lambda: here.sql("SELECT 1 FROM delivery WHERE state = 'failing'"))
        spoilt = """
            UPDATE resource SET body = convert_to(replace(convert_from(body, 'UTF8'),
                '"intent":"order"', '"intent":"Leslie Moreno"'), 'UTF8') WHERE type = 'Task'
        """
        await here.sql(spoilt)
        northside.manner.change("accept-complete")
        await here.time_passes()

        told = await here.until("delivery-failed", referral=HOUSING)

        [row] = await here.sql("SELECT state, reason FROM delivery")
        assert row["state"] == "dead"
        assert row["reason"] == told["reason"]
        assert "rule binding at Bundle.entry" in row["reason"]
        assert "resource.intent" in row["reason"]
        assert not gives_leslie_away(row["reason"])
        assert not list(northside.store.all("Task"))
