"""Is what somebody typed about a partner usable? Pure checks; each refusal says what to type instead."""

from collections.abc import Iterable

from service.fhir.json import BadJson, Json, JsonObject, decode_object
from service.fhir.r4 import resource_types
from service.flows.access.public_keys import ALGORITHMS, PRIVATE, usable
from service.flows.access.roles import CASEWORK, ROLES, default_scopes
from service.flows.access.scopes import Scope, parse
from service.kernel.failures import Refused

MAX_KEYS = 100


def checked_name(name: str) -> str:
    """A name of 1 to 100 printable characters, without outer spaces."""
    name = name.strip()
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise Refused("malformed", "a partner's name is 1 to 100 printable characters")
    return name


def checked_roles(roles: Iterable[str]) -> list[str]:
    """Known roles, each once, at least one."""
    found = list(dict.fromkeys(roles))
    unknown = [role for role in found if role not in ROLES]
    if unknown or not found:
        told = f"{unknown[0]!r} is not a role" if unknown else "a partner needs a role"
        raise Refused("malformed", f"{told}; roles are {', '.join(ROLES)}")
    return found


def checked_scopes(scopes: Iterable[str], roles: list[str]) -> list[str]:
    """The scopes given, or those of the roles if none are. Only what a backend service can hold."""
    given = [part for text in scopes for part in text.split()]
    if not given:
        return list(default_scopes(roles))
    return list(dict.fromkeys(_scope(text, roles).text for text in given))


def _scope(text: str, roles: list[str]) -> Scope:
    scope = parse(text)
    if scope is None:
        raise Refused("malformed", f"{text!r} is not a SMART scope like system/Task.rs or system/*.cruds")
    if scope.context == "casework" and CASEWORK not in roles:
        raise Refused("malformed", f"{text} needs the role {CASEWORK}")
    if scope.context in ("patient", "user"):
        raise Refused("malformed", f"{text} needs a person; a partner system holds system/… scopes")
    if scope.context == "system" and scope.type not in ("*", *resource_types()):
        raise Refused("malformed", f"{text} names a resource type that FHIR R4 does not have")
    return scope


def checked_key_set(raw: bytes) -> JsonObject:
    """A JWK Set (or one bare JWK) of public keys, at least one of which can verify RS384 or ES384."""
    try:
        document = decode_object(raw, max_depth=8)
    except BadJson as error:
        raise Refused("malformed", f"the key set is not usable JSON: {error}") from None
    keys = [document] if "kty" in document else document.get("keys")
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_KEYS or not _objects(keys):
        raise Refused("malformed", f'a key set is {{"keys": […]}} with 1 to {MAX_KEYS} keys')
    for key in keys:
        if any(member in key for member in PRIVATE):
            raise Refused("malformed", "the key set holds a private or symmetric key; give the public halves")
        if not isinstance(key.get("kid"), str) or not key["kid"]:
            raise Refused("malformed", "every key needs a kid")
    names = [(key["kid"], str(key.get("kty"))) for key in keys]
    if len(set(names)) != len(names):
        raise Refused("malformed", "two keys have the same kid and kty; neither could be used")
    if not any(usable(key, algorithm) for key in keys for algorithm in ALGORITHMS):
        raise Refused("malformed", "no key can verify RS384 (RSA, 2048 bits or more) or ES384 (P-384)")
    return {"keys": keys}


def _objects(values: list[Json]) -> bool:
    return all(isinstance(value, dict) for value in values)
