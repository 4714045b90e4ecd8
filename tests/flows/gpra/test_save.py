"""A GPRA interview at the casework door: one id, one interview, edits refused with their sentence."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.flows.gpra.report import owed
from tests.flows.gpra.scene import Scene, scene


@pytest.fixture
async def stage(database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(database_url, tmp_path) as made:
        await made.person()
        yield made


async def test_a_complete_episode_is_taken_interview_by_interview(stage: Scene) -> None:
    assert (await stage.held("g1", "intake", "2026-03-03")).status_code == 201
    stage.now = datetime(2027, 3, 10, tzinfo=UTC)
    assert (await stage.held("g2", "six-month", "2026-10-20")).status_code == 201
    assert (await stage.held("g3", "discharge", "2027-03-09")).status_code == 201


async def test_an_edit_that_is_broken_refuses_the_record_at_its_answer(stage: Scene) -> None:
    answer = await stage.held("g1", "intake", "2026-03-03", SexUnprot="7")
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert "Unprotected sexual contacts are not more than the sexual contacts." in str(error)
    assert "/answers/" in str(error)


async def test_an_interview_still_in_progress_is_taken_with_a_warning(stage: Scene) -> None:
    answer = await stage.held("g1", "intake", "2026-03-03", SexUnprot="7", more={"status": "in-progress"})
    assert answer.status_code == 201
    assert "Unprotected sexual contacts" in answer.text


async def test_a_follow_up_is_judged_by_the_window_of_its_intake(stage: Scene) -> None:
    await stage.held("g1", "intake", "2026-03-03")
    stage.now = datetime(2026, 11, 10, tzinfo=UTC)
    late = await stage.held("g2", "six-month", "2026-11-04")
    assert late.status_code == 422
    assert "Status 11 is an interview within the window." in late.text
    outside = await stage.held("g2", "six-month", "2026-11-04", FLWPStatus="12")
    assert outside.status_code == 201


async def test_a_client_has_one_gpra_id_under_a_grant(stage: Scene) -> None:
    await stage.held("g1", "intake", "2026-03-03")
    other = await stage.held("g2", "intake", "2026-03-03", more={"gpraClient": "HRS-000999", "sequence": 1})
    assert other.status_code == 422
    assert "a client has one" in other.text


async def test_a_gpra_id_is_never_another_clients(stage: Scene) -> None:
    await stage.person("sam-lee")
    await stage.held("g1", "intake", "2026-03-03")
    other = await stage.held("g2", "intake", "2026-03-03", more={"client": "sam-lee"})
    assert other.status_code == 422
    assert "belongs to another client" in other.text


async def test_an_interview_is_on_record_once(stage: Scene) -> None:
    await stage.held("g1", "intake", "2026-03-03")
    again = await stage.held("g2", "intake", "2026-03-02")
    assert again.status_code == 422
    assert "on record already, as gpra-interviews/g1" in again.text
    assert (await stage.held("g1", "intake", "2026-03-02")).status_code == 200


async def test_both_forms_of_suprt_and_every_year_are_on_record_beside_each_other(stage: Scene) -> None:
    def form(type_: str, day: str, tool: str) -> dict[str, object]:
        return {"client": "leslie-moreno", "tool": tool, "version": "2025.1", "grant": "TI-9", "gpraClient": "HRS-9",
                "type": type_, "date": day}  # fmt: skip

    for tool in ("suprt-a", "suprt-c"):
        assert (
            await stage.put(f"gpra-interviews/{tool}", form("intake", "2026-03-03", tool))
        ).status_code == 201
    for year in ("2027", "2028"):
        filed = await stage.put(f"gpra-interviews/y{year}", form("annual", f"{year}-03-03", "suprt-a"))
        assert filed.status_code == 201, filed.text
    again = await stage.put("gpra-interviews/twice", form("annual", "2027-03-09", "suprt-a"))
    assert again.status_code == 422 and "on record already, as gpra-interviews/y2027" in again.text
    assert await owed(stage.context, "TI-9") == [], "the six-month window is not that of SUPRT"


async def test_a_slip_in_the_id_can_be_corrected_and_a_record_taken_back_frees_its_place(
    stage: Scene,
) -> None:
    await stage.held("g1", "intake", "2026-03-03", more={"gpraClient": "HRS-000421"})
    assert (await stage.held("g1", "intake", "2026-03-03")).status_code == 200
    assert (await stage.send("DELETE", "gpra-interviews/g1")).status_code in (200, 204)
    assert (await stage.held("g2", "intake", "2026-03-03")).status_code == 201
