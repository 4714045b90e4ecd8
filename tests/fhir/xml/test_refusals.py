"""XML that is no FHIR is refused with its place and without its content; so is what XML cannot carry."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.xml import BadXml, NotXml, from_xml, to_xml

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
FHIR = 'xmlns="http://hl7.org/fhir"'
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def patient(inside: str) -> bytes:
    return f"{HEAD}\n<Patient {FHIR}>\n{inside}</Patient>".encode()


def narrative(div: str) -> str:
    resource = from_xml(patient(f'<text><status value="generated"/>{div}</text>'))
    return str(resource["text"]["div"])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"<a",
        b"<Patient/>",
        b'<Patient xmlns="http://example.org"/>',
        b'<Unheard xmlns="http://hl7.org/fhir"/>',
        b'<HumanName xmlns="http://hl7.org/fhir"/>',
        b'<Resource xmlns="http://hl7.org/fhir"/>',
        b'<Patient xmlns="http://hl7.org/fhir" id="x"/>',
        b'<?xml version="1.0" encoding="ISO-8859-1"?><Patient xmlns="http://hl7.org/fhir"/>',
        '<Patient xmlns="http://hl7.org/fhir"/>'.encode("utf-16"),
        b'<!DOCTYPE Patient><Patient xmlns="http://hl7.org/fhir"/>',
        b'<!DOCTYPE P [<!ENTITY e "secret">]><Basic xmlns="http://hl7.org/fhir"><id value="&e;"/></Basic>',
        b'<!DOCTYPE P SYSTEM "file:///etc/passwd"><Patient xmlns="http://hl7.org/fhir"/>',
        b'<Patient xmlns="http://hl7.org/fhir"/><Patient xmlns="http://hl7.org/fhir"/>',
        patient('<id value="&nbsp;"/>'),
        patient('<id value="\x01"/>'),
        patient('<id value="&#0;"/>'),
        patient("secret"),
        patient("<secret/>"),
        patient('<resourceType value="Patient"/>'),
        patient('<active value="true" secret="1"/>'),
        patient('<active value="true">secret</active>'),
        patient('<active value="true"><id value="x"/></active>'),
        patient("<active/>"),
        patient('<active value="true"/><active value="false"/>'),
        patient("<name><given/></name>"),
        patient("<contained/>"),
        patient('<contained id="x"><Patient/></contained>'),
        patient("<contained><Patient/><Patient/></contained>"),
        patient("<contained><secret/></contained>"),
        patient('<extension url="u"><url value="u"/></extension>'),
        patient('<x:active xmlns:x="http://other" value="true"/>'),
        patient("<text><div>no namespace</div></text>"),
        patient(f"<text><div {XHTML}>a</div><div {XHTML}>b</div></text>"),
        patient(f'<text><div {XHTML}><p xmlns="http://other">x</p></div></text>'),
        patient(f'<text><div {XHTML} xmlns:o="http://other" o:x="1"/></text>'),
        patient(f"<text><div {XHTML}>&nbsp;</div></text>"),
        patient("<contact>" * 200 + "</contact>" * 200),
        f"<Questionnaire {FHIR}>{'<item>' * 3000}{'</item>' * 3000}</Questionnaire>".encode(),
    ],
)
def test_what_is_no_fhir_xml_is_refused_with_its_place(raw: bytes) -> None:
    with pytest.raises(BadXml, match=r" at line \d+, column \d+$") as refusal:
        from_xml(raw)
    assert "secret" not in str(refusal.value)


def test_the_place_is_where_the_fault_is() -> None:
    with pytest.raises(BadXml) as refusal:
        from_xml(patient('  <active value="true"/>\n  <nothing/>\n'))
    assert (refusal.value.line, refusal.value.column) == (4, 3)


def test_a_document_longer_than_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.fhir.xml.read.MAX_BYTES", 20)
    with pytest.raises(BadXml, match="longer than 20 bytes"):
        from_xml(patient(""))


def test_comments_space_prefixes_and_schema_hints_are_no_content() -> None:
    raw = (
        "\ufeff<?xml version='1.0'?><!-- c --><f:Patient xmlns:f='http://hl7.org/fhir' "
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='a b'>\n"
        "<!-- c --><?pi x?><f:active value='true'> </f:active></f:Patient>"
    )
    assert from_xml(raw.encode()) == {"resourceType": "Patient", "active": True}


def test_a_wrong_number_or_boolean_stays_text_for_the_validator_to_name() -> None:
    raw = patient('<active value="yes"/><multipleBirthInteger value="1.5"/>')
    assert from_xml(raw) == {"resourceType": "Patient", "active": "yes", "multipleBirthInteger": "1.5"}


@pytest.mark.parametrize(
    "div",
    [
        f"<div {XHTML}>plain</div>",
        f"<div {XHTML}/>",
        f'<div {XHTML} title="a>b"/>',
        f"<div {XHTML}><p>é 🙂 &lt;&#x20;</p>\n<br /><!-- kept --><![CDATA[x]]></div  >",
        f"<div lang='en' xml:lang='en' {XHTML}><div>in</div></div>",
    ],
)
def test_a_div_keeps_its_characters(div: str) -> None:
    assert narrative(div) == div


def test_a_div_leaning_on_prefixes_from_outside_is_written_anew() -> None:
    raw = (
        '<Patient xmlns="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><text>'
        '<h:div title="&quot;&#10;"><h:b xml:lang="en">1 &lt; 2</h:b></h:div></text></Patient>'
    )
    assert from_xml(raw.encode())["text"]["div"] == (
        f'<div {XHTML} title="&quot;&#10;"><b xml:lang="en">1 &lt; 2</b></div>'
    )


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ({}, "the document"),
        ({"resourceType": "Unheard"}, "the document"),
        ({"resourceType": "HumanName"}, "the document"),
        ({"resourceType": "Patient", "nothing": 1}, "Patient"),
        ({"resourceType": "Patient", "active": "true"}, "Patient.active"),
        ({"resourceType": "Patient", "active": 1}, "Patient.active"),
        ({"resourceType": "Patient", "multipleBirthInteger": True}, "Patient.multipleBirthInteger"),
        ({"resourceType": "Patient", "gender": 1}, "Patient.gender"),
        ({"resourceType": "Patient", "gender": None}, "Patient.gender"),
        ({"resourceType": "Patient", "gender": "\ufffe"}, "Patient.gender"),
        ({"resourceType": "Patient", "name": {}}, "Patient.name"),
        ({"resourceType": "Patient", "name": ["x"]}, "Patient.name[0]"),
        ({"resourceType": "Patient", "name": [{"given": [None]}]}, "Patient.name[0].given[0]"),
        ({"resourceType": "Patient", "_gender": "x"}, "Patient.gender"),
        ({"resourceType": "Patient", "_gender": {"value": "x"}}, "Patient.gender"),
        ({"resourceType": "Patient", "_name": [{}]}, "Patient"),
        ({"resourceType": "Patient", "contained": [{"id": "x"}]}, "Patient.contained[0]"),
        (
            {"resourceType": "Patient", "extension": [{"url": "u", "_url": {"id": "x"}}]},
            "Patient.extension[0].url",
        ),
        ({"resourceType": "Patient", "text": {"div": "<div>"}}, "Patient.text.div"),
        ({"resourceType": "Patient", "text": {"div": "<p/>"}}, "Patient.text.div"),
        ({"resourceType": "Patient", "text": {"div": "<!DOCTYPE div><div/>"}}, "Patient.text.div"),
        ({"resourceType": "Patient", "text": {"div": "<div/><div/>"}}, "Patient.text.div"),
        ({"resourceType": "Patient", "text": {"div": "</text><div/>"}}, "Patient.text.div"),
        ({"resourceType": "Patient", "text": {"div": 1}}, "Patient.text.div"),
    ],
)
def test_what_xml_cannot_carry_names_its_element(resource: Any, path: str) -> None:
    with pytest.raises(NotXml) as refusal:
        to_xml(resource)
    assert refusal.value.path == path


def test_a_div_without_its_namespace_is_given_it() -> None:
    written = to_xml({"resourceType": "Patient", "text": {"div": "<div><p>x</p></div>"}})
    assert f"<div {XHTML}><p>x</p></div>".encode() in written


PIECES = """
    <Patient xmlns='http://hl7.org/fhir'>|</Patient>|<name>|</name>|<given value='a'/>|<given value='b'>
    |</given>|<extension url='u'>|</extension>|<valueDecimal value='1.0'/>|<contained>|</contained>|<text>
    |</text>|<div xmlns='http://www.w3.org/1999/xhtml'>|</div>|<p/>|x|&amp;|<!--|-->|<!DOCTYPE a>|<?x?>
    |<![CDATA[|]]>|<Observation>|</Observation>|\x00
"""


@given(st.lists(st.sampled_from(PIECES.split("|")), max_size=20).map("".join) | st.text())
def test_any_text_is_a_resource_or_refused(text: str) -> None:
    with contextlib.suppress(BadXml):
        resource = from_xml(text.encode("utf-8", "surrogatepass"))
        assert from_xml(to_xml(resource)) == resource


@given(st.binary(max_size=200))
def test_any_bytes_are_a_resource_or_refused(raw: bytes) -> None:
    with contextlib.suppress(BadXml):
        from_xml(raw)
