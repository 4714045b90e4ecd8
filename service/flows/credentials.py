"""Certificates and tokens beside SMART's own: what a partner must show us, and what we show at a partner's.

`casebridge partner certificate|credential` print what these return.
"""

from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.hazmat.primitives.serialization import load_pem_private_key as load_key

from service.fhir.json import JsonObject
from service.flows.access.certificates import checked
from service.flows.audit.witness import act
from service.flows.context import Context
from service.flows.onboard_partner import described, found_by_name
from service.kernel.failures import Refused
from service.remote.guard import RefusedAddress, origin_text
from service.store import credentials, partners
from service.store.credentials import Credential
from service.store.vault import vault


async def require_certificate(
    context: Context, name: str, file: Path | None, subject: str | None
) -> JsonObject:
    """From the next request on the partner must show this certificate; none is asked for without file and subject.

    Tokens it holds that are not bound to a certificate stop counting at once.
    """
    partner = await found_by_name(context, name)
    wanted = checked(_bytes(file) if file else None, subject)
    async with context.database.unit() as unit:
        await partners.require_certificate(unit, partner.client_id, wanted)
        detail = "certificate required" if wanted else "no certificate required"
        unit.audit(
            act(context, "administration", "partner-changed", detail=detail, about=[partner.organization])
        )
    return described(context, await found_by_name(context, name))


async def present(
    context: Context, name: str, url: str, certificate: Path | None, key: Path | None, bearer: Path | None
) -> JsonObject:
    """Show a client certificate, or a bearer token the partner gave us, at the server of `url`; nothing without either.

    Refused: malformed (files, URL), conflict (another partner has one at this server).
    """
    partner = await found_by_name(context, name)
    try:
        origin = origin_text(url)
    except RefusedAddress as error:
        raise Refused("malformed", f"--url: {error}") from None
    if urlsplit(origin).scheme != "https" and not context.settings.outbound_allow:
        raise Refused(
            "malformed", "--url: https is required unless CASEBRIDGE_OUTBOUND_ALLOW lists the network"
        )
    pem, private = _pair(certificate, key)
    token = _bytes(bearer).decode("ascii", "replace").strip() if bearer else None
    if token is not None and (not token.isascii() or not token.isprintable() or " " in token or not token):
        raise Refused("malformed", "the file of the bearer token holds more than one token")
    made = Credential(origin, partner.client_id, pem, private, token, context.clock())
    async with context.database.unit() as unit:
        if not pem and not token:
            await credentials.drop(unit, origin, partner.client_id)
        elif not await credentials.keep(unit, vault(context.settings), made):
            raise Refused("conflict", f"another partner has a credential at {origin}; a server has one")
        detail = "credential set" if pem or token else "credential removed"
        unit.audit(
            act(context, "administration", "partner-changed", detail=detail, about=[partner.organization])
        )
        shown: list[str] = await credentials.of_partner(unit, partner.client_id)
    return {"name": partner.name, "shown_at": shown}


def _pair(certificate: Path | None, key: Path | None) -> tuple[str, bytes | None]:
    """A certificate (with those that lead to its CA) and its private key, both PEM, that belong together."""
    if certificate is None and key is None:
        return "", None
    if certificate is None or key is None:
        raise Refused("malformed", "a client certificate needs its key: --certificate and --key")
    try:
        chain = x509.load_pem_x509_certificates(_bytes(certificate))
        private = load_key(_bytes(key), None)
    except (ValueError, TypeError):
        raise Refused(
            "malformed", "--certificate and --key are PEM files; the key is not encrypted"
        ) from None
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if chain[0].public_key().public_bytes(*form) != private.public_key().public_bytes(*form):
        raise Refused("malformed", "the key is not the certificate's")
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in chain).decode()
    return pem, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(65_537)[:65_536]
    except OSError as error:
        raise Refused("malformed", f"{path} cannot be read: {error.strerror}") from None
