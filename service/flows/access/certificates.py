"""Client certificates, as far as they say who is calling: RFC 8705. Pure.

TLS (or the proxy before us) has proven that the caller holds the certificate's key and, where a CA is configured, who
issued it. Here it is held against the registration: by thumbprint (`x5t#S256=…`, any certificate, self-signed ones too)
or by subject (`subject=CN=…,O=…`, RFC 4514; for certificates of a CA that names its holders carefully).
"""

import base64
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from service.kernel.failures import Refused

THUMBPRINT = "x5t#S256="
SUBJECT = "subject="


def thumbprint(der: bytes) -> str:
    """The certificate's SHA-256 in base64url: the `x5t#S256` of RFC 8705 §3.1."""
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def matches(registered: str, der: bytes | None) -> bool:
    """Is this the certificate of the registration? A registration without one asks for none."""
    if not registered:
        return True
    if der is None:
        return False
    if registered.startswith(THUMBPRINT):
        return registered.removeprefix(THUMBPRINT) == thumbprint(der)
    return registered == SUBJECT + subject(der)


def subject(der: bytes) -> str:
    """The subject as RFC 4514 writes it; '' for what is no certificate."""
    try:
        return x509.load_der_x509_certificate(der).subject.rfc4514_string()
    except ValueError:
        return ""


def checked(pem: bytes | None, name: str | None) -> str:
    """What a registration keeps, from a PEM certificate or a subject; '' from neither. Refused("malformed")."""
    if pem is not None:
        try:
            der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
        except ValueError:
            raise Refused("malformed", "the file holds no PEM certificate") from None
        return THUMBPRINT + thumbprint(der)
    if not name:
        return ""
    try:
        return SUBJECT + x509.Name.from_rfc4514_string(name).rfc4514_string()
    except ValueError:
        raise Refused("malformed", "the subject is written as in RFC 4514: CN=ehr.example,O=Clinic") from None
