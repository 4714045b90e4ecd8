"""A SMART backend client for the tests, written from the guide and sharing no code with the service:
its own keys, its own JWS."""

import asyncio
import base64
import json
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from service.flows.context import Context
from service.flows.onboard_partner import Registration, add
from service.kernel.clock import system_clock

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(value: int, size: int) -> str:
    return b64(value.to_bytes(size, "big"))


@dataclass
class Key:
    """A client's key pair; `sign` makes a raw JOSE signature."""

    kid: str
    alg: str
    private: Any
    public: dict[str, Any]

    def sign(self, message: bytes) -> bytes:
        if self.alg.startswith("RS"):
            return self.private.sign(message, padding.PKCS1v15(), hashes.SHA384())
        r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA384())))
        size = (self.private.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def es384(kid: str = "") -> Key:
    private = ec.generate_private_key(ec.SECP384R1())
    point = private.public_key().public_numbers()
    kid = kid or secrets.token_hex(4)
    jwk = {"kty": "EC", "crv": "P-384", "kid": kid, "x": _number(point.x, 48), "y": _number(point.y, 48)}
    return Key(kid, "ES384", private, jwk)


def rs384(kid: str = "", bits: int = 2048) -> Key:
    private = rsa.generate_private_key(65537, bits)
    numbers = private.public_key().public_numbers()
    kid = kid or secrets.token_hex(4)
    jwk = {"kty": "RSA", "kid": kid, "n": _number(numbers.n, bits // 8), "e": _number(numbers.e, 3)}
    return Key(kid, "RS384", private, jwk)


def jws(key: Key, header: dict[str, Any], payload: Any) -> str:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    text = f"{b64(json.dumps(header).encode())}.{b64(raw)}"
    return f"{text}.{b64(key.sign(text.encode()))}"


def assertion(
    key: Key, client_id: str, audience: Any, header: Any = (), now: float = 0, **claims: Any
) -> str:
    """A good assertion, except where `header` and `claims` say otherwise; None takes a member away."""
    now = now or system_clock().timestamp()
    whole = {
        "iss": client_id, "sub": client_id, "aud": audience, "exp": int(now) + 240,
        "jti": secrets.token_hex(12), **claims,
    }  # fmt: skip
    top = {"alg": key.alg, "kid": key.kid, "typ": "JWT", **dict(header)}
    return jws(key, _without_none(top), _without_none(whole))


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def form(made: str, scope: str | None = "system/*.rs", /, **changes: Any) -> dict[str, Any]:
    whole = {
        "grant_type": "client_credentials", "scope": scope, "client_assertion_type": JWT_BEARER,
        "client_assertion": made, **changes,
    }  # fmt: skip
    return _without_none(whole)


class Hands:
    """A clock that can be moved."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self.ahead


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The application on a loopback socket of its own; gives its origin."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn offers a flag only
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@dataclass
class Client:
    """A registered partner and its key."""

    id: str
    name: str
    key: Key
    described: dict[str, Any] = field(repr=False)


@dataclass
class Site:
    origin: str
    context: Context
    wiring: Any
    hands: Hands
    http: httpx.AsyncClient
    folder: Path

    @property
    def token_url(self) -> str:
        return f"{self.origin}/auth/token"

    async def client(self, *roles: str, key: Key | None = None, **registration: Any) -> Client:
        key = key or es384()
        name = registration.pop("name", f"Agency {secrets.token_hex(4)}")
        if "jwks" not in registration:
            path = self.folder / f"{secrets.token_hex(4)}.json"
            path.write_text(json.dumps({"keys": [key.public]}))
            registration["jwks"] = str(path)
        wanted = Registration(name, roles or ("referral-source",), **registration)
        described = await add(self.context, wanted)
        return Client(described["client_id"], name, key, described)

    async def ask(self, client: Client, scope: str = "system/*.rs", **changes: Any) -> httpx.Response:
        """A token request with a good assertion; `changes` alter header (dict) or claims."""
        made = assertion(
            client.key, client.id, self.token_url, now=self.context.clock().timestamp(), **changes
        )
        return await self.http.post("/auth/token", data=form(made, scope))

    async def token(self, client: Client, scope: str = "system/*.rs") -> str:
        answer = await self.ask(client, scope)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def ping(self, token: str | None, **headers: str) -> httpx.Response:
        if token is not None:
            headers = {"Authorization": f"Bearer {token}", **headers}
        return await self.http.get("/fhir/ping", headers=headers)
