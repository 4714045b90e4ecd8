"""A small OpenID Connect issuer on loopback, made of Authlib's server: real codes, PKCE, client secret, ID tokens.

`bend` spoils what it says, one thing at a time, as a broken or hostile issuer would.
"""

import asyncio
import base64
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin, UserInfo
from authlib.oidc.core.grants import OpenIDCode
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwt
from joserfc.jwk import RSAKey
from parts import free_port
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "casebridge-console", "a secret & more"
KEY = RSAKey.generate_key(2048, {"kid": "of-the-issuer"})
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
Claims = dict[str, Any]


class _Client(ClientMixin):
    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.endswith("/console/sign-in/back")

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class _Code(AuthorizationCodeMixin):
    code: str
    redirect: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None
    user: Claims

    def get_redirect_uri(self) -> str:
        return self.redirect

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class _Request(OAuth2Request):
    def __init__(self, method: str, values: dict[str, str], headers: dict[str, str]) -> None:
        super().__init__(method, "https://issuer.example/", headers=headers)
        self.payload = BasicOAuth2Payload(values)

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data

    @property
    def args(self) -> dict[str, str]:
        return self.payload.data


@dataclass
class Issuer:
    """`person` is whoever sits at the browser; `bend` changes the claims of ID tokens; `sign` makes them."""

    url: str
    person: Claims = field(default_factory=dict)
    bend: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[[Claims], str] = lambda claims: signed(claims)
    about: Claims = field(default_factory=dict)
    codes: dict[str, _Code] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def logout_token(self, **claims: Any) -> str:
        now = int(time.time())
        said = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": secrets.token_hex(8)}
        return signed({**said, "events": {LOGOUT: {}}, **claims})


def signed(claims: Claims, key: Any = KEY, **header: Any) -> str:
    return jwt.encode(
        {"alg": "RS256", "kid": "of-the-issuer", "typ": "JWT", **header}, claims, key, ["RS256"]
    )


def unsigned(claims: Claims) -> str:
    """alg none."""
    return _compact({"alg": "none"}, claims, lambda _: b"")


def signed_with_the_public_key(claims: Claims) -> str:
    """HS256 with the issuer's public key as the secret: the classic confusion of algorithms."""
    secret = KEY.as_pem(private=False)
    return _compact(
        {"alg": "HS256", "kid": "of-the-issuer"}, claims, lambda text: hmac.digest(secret, text, "sha256")
    )


def with_a_critical_header(claims: Claims) -> str:
    """Well signed, but says that who does not know `exp` as a header must refuse it (RFC 7515 §4.1.11)."""
    header = {"alg": "RS256", "kid": "of-the-issuer", "crit": ["exp"], "exp": 1}
    sign = KEY.get_op_key("sign").sign
    return _compact(header, claims, lambda text: sign(text, padding.PKCS1v15(), hashes.SHA256()))


def _compact(header: Claims, claims: Claims, sign: Callable[[bytes], bytes]) -> str:
    text = ".".join(_b64(json.dumps(each).encode()) for each in (header, claims))
    return f"{text}.{_b64(sign(text.encode()))}"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _server(issuer: Issuer) -> AuthorizationServer:
    class Server(AuthorizationServer):
        def query_client(self, client_id: str) -> _Client | None:
            return _Client() if client_id == CLIENT else None

        def save_token(self, token: Claims, request: OAuth2Request) -> None:
            pass

        def create_oauth2_request(self, request: _Request) -> _Request:
            return request

        def handle_response(self, status: int, body: Any, headers: Any) -> Response:
            return (
                JSONResponse(body, status, dict(headers))
                if body
                else Response(status_code=status, headers=dict(headers))
            )

        def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
            pass

    class Grant(AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]  # noqa: RUF012

        def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
            said = request.payload.data
            issuer.codes[code] = _Code(
                code, said["redirect_uri"], request.scope, said.get("nonce"), said.get("code_challenge"),
                said.get("code_challenge_method"), request.user,
            )  # fmt: skip

        def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
            return issuer.codes.get(code)

        def delete_authorization_code(self, authorization_code: _Code) -> None:
            issuer.codes.pop(authorization_code.code)

        def authenticate_user(self, authorization_code: _Code) -> Claims:
            return authorization_code.user

    class Openid(OpenIDCode):
        def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
            return False

        def generate_user_info(self, user: Claims, scope: str) -> UserInfo:
            return UserInfo(user)

        def get_client_algorithm(self, client: _Client) -> str:
            return "RS256"

        def get_client_claims(self, client: _Client) -> Claims:
            now = int(time.time())
            return {"iss": issuer.url, "aud": [CLIENT], "iat": now, "exp": now + 300}

        get_compatible_claims = get_client_claims

        def get_encode_header(self, client: _Client) -> Claims:
            return {"alg": "RS256", "kid": "of-the-issuer"}

        def resolve_client_private_key(self, client: _Client) -> Any:
            return KEY

        def encode_id_token(self, token: Claims, request: OAuth2Request) -> str:
            honest = jwt.decode(super().encode_id_token(token, request), KEY).claims
            return issuer.sign(issuer.bend(honest))

    server = Server()
    server.register_grant(Grant, [Openid(require_nonce=True), CodeChallenge(required=True)])
    server.register_token_generator(
        "default",
        lambda **_: {
            "access_token": secrets.token_hex(16),
            "token_type": "Bearer",
            "scope": "openid profile",
        },
    )
    return server


@asynccontextmanager
async def issuing() -> AsyncIterator[Issuer]:
    port = free_port()
    issuer = Issuer(f"http://127.0.0.1:{port}")
    server = _server(issuer)

    async def discovery(_: Request) -> Response:
        about = {
            "issuer": issuer.url,
            "authorization_endpoint": f"{issuer.url}/authorize",
            "token_endpoint": f"{issuer.url}/token",
            "jwks_uri": f"{issuer.url}/keys",
            "code_challenge_methods_supported": ["S256"],
        }
        return JSONResponse({**about, **issuer.about})

    async def keys(_: Request) -> Response:
        return JSONResponse({"keys": [KEY.as_dict(private=False)]})

    async def authorize(request: Request) -> Response:
        issuer.asked.append(dict(request.query_params))
        asked = _Request("GET", dict(request.query_params), dict(request.headers))
        try:
            grant = server.get_consent_grant(asked, issuer.person)
        except OAuth2Error as error:
            return JSONResponse({"error": error.error}, 400)
        return server.create_authorization_response(asked, grant_user=issuer.person, grant=grant)

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        headers = {"Authorization": request.headers.get("authorization", "")}
        return server.create_token_response(_Request("POST", form, headers))

    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", discovery),
            Route("/keys", keys),
            Route("/authorize", authorize),
            Route("/token", token, methods=["POST"]),
        ]
    )
    running = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", access_log=False))
    running.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(running.serve())
    while not running.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    try:
        yield issuer
    finally:
        running.should_exit = True
        await task
