"""Our own signing keys: made once, unreadable at rest, published by their public half, rotated by command."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from service.kernel.clock import system_clock
from service.kernel.failures import Unavailable
from service.settings import Settings
from service.store import keys
from service.store.database import Database
from service.store.vault import vault as vault_of


def settings(folder: Path, secret: str | None = None) -> Settings:
    return Settings(data_dir=folder, secret_key=SecretStr(secret) if secret else None, _env_file=None)  # type: ignore[call-arg]


def test_without_a_secret_a_key_file_is_made_that_only_we_can_read(tmp_path: Path) -> None:
    one, two = vault_of(settings(tmp_path)), vault_of(settings(tmp_path))
    assert two.decrypt(one.encrypt(b"x")) == b"x"
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_key_file_that_others_can_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(Fernet.generate_key())
    (tmp_path / "secret.key").chmod(0o644)
    vault_of(settings(tmp_path))
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_a_secret_of_settings_needs_no_file(tmp_path: Path) -> None:
    one = vault_of(settings(tmp_path, "correct horse battery"))
    assert vault_of(settings(tmp_path, "correct horse battery")).decrypt(one.encrypt(b"x")) == b"x"
    assert list(tmp_path.iterdir()) == []


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="16 characters"):
        vault_of(settings(tmp_path, "short"))


@pytest.fixture
async def keyless(database: Database) -> Database:
    """A store without the keys that tests/conftest.py puts into its template."""
    async with database.unit(keys.LOCK) as unit:
        await unit.execute("DELETE FROM signing_key")
    return database


async def test_keys_are_made_once(keyless: Database) -> None:
    vault, now = Fernet(Fernet.generate_key()), system_clock()
    for _ in range(2):
        async with keyless.unit(keys.LOCK) as unit:
            await keys.ensure(unit, vault, now)
    async with keyless.reading() as connection:
        found = await keys.active(connection, vault, now)
    assert sorted(key.algorithm for key in found) == ["ES384", "RS384"]


async def test_the_private_half_is_unreadable_at_rest_and_never_printed(keyless: Database) -> None:
    vault, now = Fernet(Fernet.generate_key()), system_clock()
    async with keyless.unit(keys.LOCK) as unit:
        await keys.ensure(unit, vault, now)
    async with keyless.reading() as connection:
        [es384] = [key for key in await keys.active(connection, vault, now) if key.algorithm == "ES384"]
        rows = await connection.fetch("SELECT s::text AS row, private FROM signing_key s")
        published = json.dumps(await keys.published(connection, now))
    assert es384.private["d"]
    for row in rows:
        assert es384.private["d"] not in row["row"]
        assert es384.private["d"].encode() not in row["private"]
    assert es384.private["d"] not in published
    assert es384.private["d"] not in repr(es384)


async def test_another_secret_is_said_so(keyless: Database) -> None:
    async with keyless.unit(keys.LOCK) as unit:
        await keys.ensure(unit, Fernet(Fernet.generate_key()), system_clock())
    async with keyless.reading() as connection:
        with pytest.raises(Unavailable, match="has changed"):
            await keys.active(connection, Fernet(Fernet.generate_key()), system_clock())


async def test_after_a_rotation_we_sign_with_new_keys_and_publish_the_old_for_an_hour(
    keyless: Database,
) -> None:
    vault, now = Fernet(Fernet.generate_key()), system_clock()
    async with keyless.unit(keys.LOCK) as unit:
        await keys.ensure(unit, vault, now)
    async with keyless.reading() as connection:
        old = {key.kid for key in await keys.active(connection, vault, now)}
    async with keyless.unit(keys.LOCK) as unit:
        await keys.rotate(unit, vault, now, now)
    async with keyless.reading() as connection:
        new = {key.kid for key in await keys.active(connection, vault, now)}
        soon = {key["kid"] for key in (await keys.published(connection, now))["keys"]}
        later = {key["kid"] for key in (await keys.published(connection, now + timedelta(hours=2)))["keys"]}
    assert len(new) == 2 and not new & old
    assert soon == old | new
    assert later == new
