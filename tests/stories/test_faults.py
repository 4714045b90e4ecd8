"""Agencies away, flaky and slow, workers killed: every referral ends as it should, once, in order."""

from pathlib import Path

from faults import story


async def test_no_referral_is_lost_doubled_or_out_of_order_whatever_fails(database_url: str, tmp_path: Path):
    told = await story(database_url, tmp_path, referrals=10, kills=2)
    assert told.wrong == []
    assert told.attempts > told.referrals, "it was a bad day"
