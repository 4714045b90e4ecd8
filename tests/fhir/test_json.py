"""The strict decoder, and the encoder that gives back the same digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts import SHARED

from service.fhir.json import BadJson, Number, decode, decode_object, encode, pretty


@pytest.mark.parametrize(
    "text", ["1.00", "1e2", "1E+2", "-0", "0.10", "12345678901234567890", "-0.0", "1.5E-7"]
)
def test_a_number_comes_out_as_it_was_written(text: str) -> None:
    assert encode(decode(f'{{"value":{text}}}'.encode())) == f'{{"value":{text}}}'.encode()


def test_true_is_not_a_number_and_one_is_not_true() -> None:
    assert decode(b"[true,1]")[0] is True
    assert type(decode(b"[true,1]")[1]) is int


def test_a_duplicate_key_is_refused_by_name() -> None:
    with pytest.raises(BadJson, match='"status" occurs twice'):
        decode(b'{"status":"draft","status":"active"}')


@pytest.mark.parametrize(
    "raw",
    [b'"\\u0000"', b'"\\ud800"', b'"\\udc00\\ud800"', b'{"\\u0001":1}', b'"\x01"', b'"\xff"', b"\xef\xbb\xbf{}",
     b"NaN", b"Infinity", b"-Infinity", b"01", b"1.", b"{} {}", b"", b"  ", b"'a'", b"[1,]", b'{"a":1,}', b"// x\n{}"],
)  # fmt: skip
def test_what_fhir_cannot_carry_is_refused(raw: bytes) -> None:
    with pytest.raises(BadJson):
        decode(raw)


def test_an_escaped_emoji_is_kept() -> None:
    assert decode(b'"\\ud83c\\udf31"') == "🌱"


def test_depth_is_limited_and_does_not_break_the_stack() -> None:
    assert decode(b"[" * 64 + b"]" * 64)
    for depth in (65, 100_000):
        with pytest.raises(BadJson, match="deeper than 64"):
            decode(b"[" * depth + b"]" * depth)


def test_brackets_within_text_are_not_depth() -> None:
    assert decode(b'"' + b"[{" * 500 + b'\\""')


def test_an_endless_number_is_refused() -> None:
    with pytest.raises(BadJson):
        decode(b"1" * 5000)


def test_an_error_quotes_no_content() -> None:
    with pytest.raises(BadJson) as caught:
        decode(b'{"name":"Leslie Moreno" "x"}')
    assert "Moreno" not in str(caught.value)


def test_only_an_object_is_a_resource() -> None:
    with pytest.raises(BadJson, match="not a JSON object"):
        decode_object(b"[]")


def test_pretty_changes_no_digit() -> None:
    assert b"1.00" in pretty({"value": Number("1.00")})


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.text(st.characters(exclude_categories=("Cs", "Cc"))),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(_values)
def test_decode_undoes_encode(value: object) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        decode(raw)
    except BadJson:
        return


CORPUS = SHARED / "corpus" / "hostile" / "json_parsing"
OURS_TO_REFUSE = {
    "y_object_duplicated_key.json": "duplicate keys",
    "y_object_duplicated_key_and_value.json": "duplicate keys",
    "y_object_escaped_null_in_key.json": "U+0000",
    "y_string_null_escape.json": "U+0000",
    "y_string_escaped_control_character.json": "C0 control character",
}


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared JSON corpus is not beside this checkout")
def test_the_json_test_suite_is_read_as_it_should() -> None:
    wrong = []
    for path in sorted(CORPUS.iterdir()):
        try:
            decode(path.read_bytes())
            accepted = True
        except BadJson:
            accepted = False
        if path.name[0] == "n" and accepted:
            wrong.append(path.name)
        if path.name[0] == "y" and accepted == (path.name in OURS_TO_REFUSE):
            wrong.append(path.name)
    assert wrong == []
