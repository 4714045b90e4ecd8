"""What keeps stored secrets unreadable: the one secret that is not in the database, and those before it.

The first secret encrypts; every accepted one decrypts, so that a new secret can come in while rows are still under the
old one, and replicas need not restart together. `reseal` brings every row under the first.
"""

import base64
import os
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from service.kernel.failures import Unavailable
from service.settings import Settings
from service.store.schema import metadata
from service.store.unit import Unit

FILE = "secret.key"
Vault = Fernet | MultiFernet


def vault(settings: Settings) -> MultiFernet:
    """What encrypts stored secrets, and reads them whichever accepted secret they are under."""
    try:
        return MultiFernet([Fernet(each) for each in accepted(settings)])
    except ValueError:
        raise Unavailable(
            "the key file secret.key is damaged; put the one back that was made with it"
        ) from None


def accepted(settings: Settings) -> tuple[bytes, ...]:
    """The secrets, newest first: of `secret_key` and `secret_key_also`, and the lines of a file only we can read.

    With `secret_key` a file that is there is read too (an operator may be on the way from one to the other).
    """
    path = settings.data_dir / FILE
    if settings.secret_key is None:
        return _own_file(path)
    texts = [settings.secret_key, *([settings.secret_key_also] if settings.secret_key_also else [])]
    told = [_stretched(text.get_secret_value().encode()) for text in texts]
    return tuple(dict.fromkeys((*told, *(_own_file(path) if path.exists() else ()))))


@lru_cache(maxsize=8)
def _stretched(text: bytes) -> bytes:
    """By scrypt, so a passphrase will do; the same text gives the same key."""
    if len(text) < 16:
        raise Unavailable("CASEBRIDGE_SECRET_KEY is too short: 16 characters at least")
    stretched = Scrypt(salt=b"casebridge signing keys", length=32, n=2**14, r=8, p=1).derive(text)
    return base64.urlsafe_b64encode(stretched)


def _own_file(path: Path) -> tuple[bytes, ...]:
    """The keys in `path`, newest first, made if missing; two processes that start together end with the same one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _place(path, Fernet.generate_key(), new=True)
        if os.name == "posix" and path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return tuple(path.read_bytes().split()) or (b"",)
    except OSError as error:
        raise Unavailable(f"the key file {path} cannot be used: {error.strerror}") from error


def _place(path: Path, content: bytes, *, new: bool) -> None:
    """Write whole or not at all; a `new` file never over another's: a link fails where the name exists."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not new:
            draft.replace(path)
            return
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)


def renew_file(settings: Settings) -> None:
    """A new secret before the old ones in the key file. Unavailable where the secret is not ours to make."""
    if settings.secret_key is not None:
        raise Unavailable("the secret is CASEBRIDGE_SECRET_KEY: choose the new one there (docs/commands.md)")
    path = settings.data_dir / FILE
    _place(path, b"\n".join((Fernet.generate_key(), *_own_file(path))) + b"\n", new=False)


def forget_file(settings: Settings) -> None:
    """Only the newest secret stays in the key file; with CASEBRIDGE_SECRET_KEY, which is newer than any, none."""
    path = settings.data_dir / FILE
    if settings.secret_key is None:
        _place(path, _own_file(path)[0] + b"\n", new=False)
    else:
        path.unlink(missing_ok=True)


async def reseal(unit: Unit, kept: MultiFernet) -> dict[str, int]:
    """Every stored secret under the newest secret; how many of which table. Unavailable if one cannot be read.

    Which columns those are, the schema says: `info={"vault": True}`.
    """
    done: dict[str, int] = {}
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.info.get("vault"):
                keys = [each.name for each in table.primary_key]
                done[table.name] = done.get(table.name, 0) + await _reseal(
                    unit, kept, table.name, column.name, keys
                )
    return done


async def _reseal(unit: Unit, kept: MultiFernet, table: str, column: str, keys: list[str]) -> int:
    names = ", ".join(f'"{key}"' for key in keys)
    where = " AND ".join(f'"{key}" = ${place}' for place, key in enumerate(keys, 2))
    select = f'SELECT {names}, "{column}" FROM "{table}"'  # noqa: S608
    rows = await unit.fetch(f'{select} WHERE octet_length("{column}") > 0 FOR UPDATE')
    for row in rows:
        *key, sealed = row
        try:
            fresh = kept.rotate(sealed)
        except InvalidToken:
            raise Unavailable(
                f"a row of {table} is under a secret that is not accepted; nothing was changed"
            ) from None
        await unit.execute(f'UPDATE "{table}" SET "{column}" = $1 WHERE {where}', fresh, *key)  # noqa: S608
    return len(rows)
