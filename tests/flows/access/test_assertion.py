"""The verifier against other people's traps: Wycheproof's JOSE vectors, and every byte of a good one."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smart_client import assertion as made_by
from smart_client import b64, es384, jws, rs384

from service.flows.access import assertion as assertions
from service.flows.access import public_keys
from service.flows.access.assertion import Unproven

HOSTILE = Path("/work/shared/corpus/hostile")
AUDIENCE = "https://us.example/auth/token"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def vectors(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    path = HOSTILE / name
    if not path.exists():
        return []
    groups = json.loads(path.read_text())["testGroups"]
    return [(group, test) for group in groups for test in group["tests"]]


def key_set(group: dict[str, Any]) -> dict[str, Any]:
    """The verifier's side of a group: its public key (or, for symmetric ones, all there is)."""
    found = group.get("public") or group.get("private")
    assert isinstance(found, dict)
    return found if "keys" in found else {"keys": [found]}


def signature_holds(compact: str, keys: dict[str, Any]) -> bool:
    """Header, key choice and signature as the token endpoint does them; Wycheproof payloads are no claims."""
    try:
        match = assertions._COMPACT.fullmatch(compact)
        if match is None:
            return False
        header = assertions._part(match[1], "header")
        for part in (match[2], match[3]):
            public_keys.decoded(part)
        algorithm, kid, jku = assertions._header({"typ": "JWT", **header})
    except (Unproven, public_keys.NotBase64url):
        return False
    key = public_keys.choose_key(keys, algorithm, kid)
    read = assertions.Assertion(compact, algorithm, kid, jku, "wycheproof", {})
    return key is not None and assertions.verified(read, key)


needs_vectors = pytest.mark.skipif(not HOSTILE.exists(), reason="the Wycheproof vectors are not here")


@needs_vectors
@pytest.mark.parametrize("name", ["wycheproof_jws.json", "wycheproof_jwk.json"])
def test_no_wycheproof_vector_is_accepted_that_should_not_be(name: str) -> None:
    tested, accepted = 0, []
    for group, test in vectors(name):
        tested += 1
        if isinstance(test["jws"], str) and signature_holds(test["jws"], key_set(group)):
            accepted.append((test["tcId"], test["result"], test["comment"]))
    assert tested == {"wycheproof_jws.json": 401, "wycheproof_jwk.json": 26}[name]
    assert [one for one in accepted if one[1] != "valid"] == []


@needs_vectors
@pytest.mark.parametrize("name", ["wycheproof_jws.json", "wycheproof_jwk.json"])
def test_with_their_algorithms_let_in_no_invalid_vector_holds_either(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most vectors end at `alg`. With RS256 and ES256 let in, 255 reach the signature."""
    more = {"RS256": ("RSA", ""), "ES256": ("EC", "P-256")}
    monkeypatch.setattr(assertions, "ALGORITHMS", (*assertions.ALGORITHMS, *more))
    monkeypatch.setattr(public_keys, "_KINDS", {**public_keys._KINDS, **more})
    monkeypatch.setattr(assertions, "_REGISTRY", assertions._Registry(algorithms=assertions.ALGORITHMS))
    held = [test["result"] for group, test in vectors(name) if signature_holds(test["jws"], key_set(group))]
    assert set(held) <= {"valid"}
    assert len(held) == {"wycheproof_jws.json": 12, "wycheproof_jwk.json": 1}[name]


@needs_vectors
def test_no_wycheproof_vector_is_a_client_assertion() -> None:
    for group, test in vectors("wycheproof_jws.json") + vectors("wycheproof_jwk.json"):
        assert key_set(group)
        with pytest.raises(Unproven):
            assertions.read(str(test["jws"]))


@needs_vectors
def test_wycheproofs_valid_rs384_vectors_hold() -> None:
    """The positive control: the verifier does not simply refuse everything."""
    valid = [
        (group, test)
        for group, test in vectors("wycheproof_jws.json")
        if group.get("public", {}).get("alg") == "RS384" and test["result"] == "valid"
    ]
    held = [signature_holds(test["jws"], key_set(group)) for group, test in valid]
    assert held == [False, True, True, True], "the first has an empty payload, which no assertion has"


@pytest.mark.parametrize("make", [es384, rs384])
def test_a_good_assertion_is_proof(make: Any) -> None:
    key = make()
    compact = made_by(key, "client", AUDIENCE, now=NOW.timestamp(), jti="once")
    read = assertions.read(compact)
    chosen = public_keys.choose_key({"keys": [key.public]}, read.algorithm, read.kid)
    assert chosen is not None and assertions.verified(read, chosen)
    proof = assertions.prove(read, AUDIENCE, NOW)
    assert (proof.client_id, proof.jti, proof.expires) == ("client", "once", int(NOW.timestamp()) + 240)


KEY = es384()
GOOD = made_by(KEY, "client", AUDIENCE, now=NOW.timestamp())


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.characters(max_codepoint=0x2000))
def test_no_changed_character_goes_unnoticed(at: int, character: str) -> None:
    changed = GOOD[:at] + character + GOOD[at + 1 :]
    if changed == GOOD:
        return
    try:
        read = assertions.read(changed)
    except Unproven:
        return
    chosen = public_keys.choose_key({"keys": [KEY.public]}, read.algorithm, read.kid)
    assert chosen is None or not assertions.verified(read, chosen)


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(["iss", "sub", "aud", "exp", "jti", "nbf", "iat"]),
)
def test_no_shape_of_a_claim_is_a_crash(value: Any, name: str) -> None:
    claims = {
        "iss": "c",
        "sub": "c",
        "aud": AUDIENCE,
        "exp": int(NOW.timestamp()) + 60,
        "jti": "1",
        name: value,
    }
    header = {"alg": "ES384", "kid": KEY.kid, "typ": "JWT"}
    try:
        read = assertions.read(jws(KEY, header, claims))
        assertions.prove(read, AUDIENCE, NOW)
    except Unproven:
        return
    assert name in ("nbf", "iat", "jti", "exp", "sub", "iss")


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["alg", "kid", "typ", "jku", "crit", "jwk", "x5c", "x5u", "cty", "b64", "zip", "enc"]
        ),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.lists(st.text(max_size=3), max_size=2),
    )
)
def test_no_shape_of_a_header_is_a_crash(header: dict[str, Any]) -> None:
    claims = {"iss": "c", "sub": "c", "aud": AUDIENCE, "exp": int(NOW.timestamp()) + 60, "jti": "1"}
    try:
        read = assertions.read(jws(KEY, {"alg": "ES384", "kid": KEY.kid, "typ": "JWT", **header}, claims))
    except Unproven:
        return
    chosen = public_keys.choose_key({"keys": [KEY.public]}, read.algorithm, read.kid)
    assert chosen is None or assertions.verified(read, chosen)


@pytest.mark.parametrize(
    "spoiled",
    [
        {"x": ""},
        {"x": None},
        {"x": 5},
        {"x": "A"},
        {"x": b64(b"\0" * 48)},
        {"x": "A" * 5000},
        {"crv": "P-256"},
        {"crv": None},
        {"y": "=="},
        {"d": "AAAA"},
        {"k": "AAAA"},
        {"key_ops": "verify"},
        {"key_ops": []},
        {"use": "enc"},
        {"use": 1},
        {"alg": "ES512"},
    ],
)
def test_a_spoiled_key_is_no_key_and_no_crash(spoiled: Any) -> None:
    assert public_keys.usable(KEY.public, "ES384")
    assert not public_keys.usable({**KEY.public, **spoiled}, "ES384")


@pytest.mark.parametrize("exponent", [0, 1, 2, 65536, 2**40 + 1])
def test_an_rsa_key_with_a_strange_exponent_is_no_key(exponent: int) -> None:
    key = rs384()
    size = max(1, (exponent.bit_length() + 7) // 8)
    assert not public_keys.usable({**key.public, "e": b64(exponent.to_bytes(size, "big"))}, "RS384")


@pytest.mark.parametrize(
    "keys", [None, [], {}, {"keys": None}, {"keys": {}}, {"keys": [None, 1, "x", []]}, "x"]
)
def test_a_strange_key_set_holds_no_key(keys: Any) -> None:
    assert public_keys.choose_key(keys, "ES384", KEY.kid) is None


def test_a_signature_in_der_is_refused() -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    text = GOOD.rpartition(".")[0]
    der = KEY.private.sign(text.encode(), ec.ECDSA(hashes.SHA384()))
    read = assertions.read(f"{text}.{base64.urlsafe_b64encode(der).rstrip(b'=').decode()}")
    assert not assertions.verified(read, KEY.public)


@pytest.mark.parametrize("make", [es384, rs384])
def test_nobodys_keys_are_real_keys_so_that_pretending_takes_as_long(make: Any) -> None:
    key = make()
    read = assertions.read(made_by(key, "client", AUDIENCE, now=NOW.timestamp()))
    nobody = assertions._NOBODY[key.alg]
    assert public_keys.usable(nobody, key.alg)
    assert not assertions.verified(read, nobody)
    assertions.pretend(read)


@pytest.mark.parametrize(
    "header",
    [{"typ": None}, {"typ": "jwt"}, {"alg": "HS384"}, {"alg": None}, {"kid": ""}, {"kid": 1}, {"jku": 1},
     {"crit": []}, {"b64": True}],
)  # fmt: skip
def test_a_header_that_is_not_smarts_is_refused_before_any_key_is_tried(header: dict[str, Any]) -> None:
    with pytest.raises(Unproven):
        assertions.read(made_by(KEY, "client", AUDIENCE, header=header))


AT = int(NOW.timestamp())


def _without_aud(claims: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name != "aud"}


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": None},
        {"iss": ""},
        {"iss": 1, "sub": 1},
        {"sub": None},
        {"sub": "other"},
        {"iss": "", "sub": ""},
    ],
)
def test_iss_and_sub_are_the_same_text(claims: dict[str, Any]) -> None:
    with pytest.raises(Unproven, match="iss and sub"):
        assertions.read(made_by(KEY, "client", AUDIENCE, **claims))


@pytest.mark.parametrize(
    "claims",
    [{"jti": None}, {"jti": ""}, {"jti": 1}, {"jti": "x" * 256}, {"aud": None}, {"aud": AUDIENCE + "/"},
     {"aud": [AUDIENCE, "x"]}, {"exp": AT}, {"exp": AT - 1}, {"exp": AT + 306}, {"exp": True}, {"exp": None},
     {"exp": float(AT + 60)}, {"nbf": AT + 6}, {"iat": AT + 6}, {"nbf": True}, {"iat": "now"}],
)  # fmt: skip
def test_a_claim_that_is_not_smarts_is_refused(claims: dict[str, Any]) -> None:
    read = assertions.read(
        made_by(KEY, "client", claims.get("aud", AUDIENCE), now=AT, **_without_aud(claims))
    )
    with pytest.raises(Unproven):
        assertions.prove(read, AUDIENCE, NOW)


@pytest.mark.parametrize(
    "claims",
    [{"exp": AT + 1}, {"exp": AT + 305}, {"nbf": AT + 5}, {"iat": AT + 5}, {"iat": AT - 0.5},
     {"jti": "x" * 255}, {"aud": [AUDIENCE]}],
)  # fmt: skip
def test_the_last_value_that_is_allowed_is_allowed(claims: dict[str, Any]) -> None:
    read = assertions.read(
        made_by(KEY, "client", claims.get("aud", AUDIENCE), now=AT, **_without_aud(claims))
    )
    assert assertions.prove(read, AUDIENCE, NOW)


def test_eight_kilobytes_are_allowed_and_not_one_more() -> None:
    spare = assertions.MAX_BYTES - len(made_by(KEY, "client", AUDIENCE, filler=""))
    fits = next(
        made
        for size in range(spare * 3 // 4 - 4, spare * 3 // 4 + 4)
        if len(made := made_by(KEY, "client", AUDIENCE, filler="x" * size)) in (8191, 8192)
    )
    assert assertions.read(fits)
    with pytest.raises(Unproven, match="longer"):
        assertions.read(made_by(KEY, "client", AUDIENCE, filler="x" * spare))


def test_another_spelling_of_the_same_signature_is_refused() -> None:
    """The last character of an RSA signature has four bits that no byte needs."""
    made = made_by(rs384(), "client", AUDIENCE)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = made[:-1] + alphabet[alphabet.index(made[-1]) + 1]
    raw = [base64.urlsafe_b64decode(text.rpartition(".")[2] + "==") for text in (made, twin)]
    assert raw[0] == raw[1]
    assert assertions.read(made)
    with pytest.raises(Unproven, match="canonical"):
        assertions.read(twin)


def test_a_key_of_the_weak_smart_card_generator_is_no_key() -> None:
    if not HOSTILE.exists():
        pytest.skip("the Wycheproof vectors are not here")
    weak = [group for group, _ in vectors("wycheproof_jwk.json") if "roca" in group["comment"]]
    [key] = key_set(weak[0])["keys"]
    bare = {name: key[name] for name in ("kty", "n", "e", "kid")}
    assert public_keys.roca(bare)
    assert not public_keys.usable(bare, "RS384")
    assert not any(public_keys.roca(rs384().public) for _ in range(3))
