"""The certificate a caller has shown: to us in TLS, or to a proxy of ours that passes it on in a header.

The header (CASEBRIDGE_CERTIFICATE_HEADER) counts only from CASEBRIDGE_PROXIES, which must set it on every request and
drop what the client wrote there. Read are RFC 9440 (`:base64:`), PEM in percent-encoding (nginx) and base64 of the DER.
"""

import base64
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.types import Scope

from service.api.proxies import proxied
from service.settings import Settings

SHOWN = "certificate"
"""Where the connection's own certificate (DER) stands in the state of a request."""


def certificate_of(scope: Scope, settings: Settings) -> bytes | None:
    """The caller's certificate as DER, or None. Called before the address is replaced by the proxied one."""
    client = scope.get("client")
    name = settings.certificate_header.lower().encode()
    if name and proxied(str(client[0]) if client else "", settings.proxies):
        told = [value for header, value in scope["headers"] if header == name]
        return _read(told[0]) if len(told) == 1 else None
    found: bytes | None = scope.get("state", {}).get(SHOWN)
    return found


def _read(value: bytes) -> bytes | None:
    text = unquote_to_bytes(value).strip()
    try:
        if text.startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificate(text).public_bytes(Encoding.DER)
        if len(text) > 1 and text[:1] == text[-1:] == b":":
            text = text[1:-1]
        der = base64.b64decode(text, validate=True)
        x509.load_der_x509_certificate(der)
    except ValueError:
        return None
    return der
