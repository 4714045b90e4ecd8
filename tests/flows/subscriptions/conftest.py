"""Harbor and Northside at a service whose clock a test can set, and an endpoint."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from parts import Service, running

from tests.flows.subscriptions.ears import HARBOR, NORTHSIDE, Ear, Time, listening


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def service(database_url: str, tmp_path: Path, time: Time) -> AsyncIterator[Service]:
    async with running(database_url, tmp_path, time) as found:
        await found.partner(HARBOR, "casework")
        await found.partner(NORTHSIDE, "referral-recipient")
        yield found


@pytest.fixture
async def harbor(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with await service.client(HARBOR) as client:
        yield client


@pytest.fixture
async def northside(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with await service.client(NORTHSIDE) as client:
        yield client


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    async with listening() as made:
        yield made
