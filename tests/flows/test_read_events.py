"""The events feed waits for news, but not for the end of its process."""

import asyncio

from parts import Service


async def test_who_waits_for_news_is_answered_when_we_are_told_to_stop(service: Service) -> None:
    await service.partner("Harbor", "casework")
    async with await service.client("Harbor") as harbor:
        waiting = asyncio.create_task(harbor.get("/casework/v1/events?wait=50"))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        service.wiring.context.ending.set()
        answer = await asyncio.wait_for(waiting, 20)
    assert (answer.status_code, answer.json()) == (200, {"events": [], "cursor": ""})
