"""The table of R4: elements in order, choices spelled out, nested structures by path."""

import pytest

from service.fhir import r4


def test_every_resource_type_of_r4_is_known() -> None:
    assert len(r4.resource_types()) == 146
    assert r4.is_resource("ServiceRequest")
    assert not r4.is_resource("DomainResource")


def test_elements_stand_in_the_published_order() -> None:
    names = [element.name for element in r4.structure("Patient").elements]
    assert names[:8] == [
        "id",
        "meta",
        "implicitRules",
        "language",
        "text",
        "contained",
        "extension",
        "modifierExtension",
    ]
    assert names[-1] == "link"


def test_a_choice_has_one_key_for_each_type() -> None:
    slot = r4.structure("Observation").by_key["valueQuantity"]
    assert (slot.element.name, slot.element.choice, slot.type) == ("value", True, "Quantity")
    assert "value" not in r4.structure("Observation").by_key


def test_nested_structures_are_named_by_their_path() -> None:
    contact = r4.structure("Patient").by_name["contact"]
    assert contact.types == ("Patient.contact",)
    assert contact.declared == ("BackboneElement",)
    assert r4.structure("Patient.contact").by_name["relationship"].many


def test_a_content_reference_answers_with_what_it_points_to() -> None:
    assert r4.structure("Questionnaire.item.item.item").name == "Questionnaire.item"


def test_ids_are_ids_and_urls_are_attributes() -> None:
    assert r4.structure("Patient").by_name["id"].types == ("id",)
    assert r4.structure("HumanName").by_name["id"].attribute
    assert r4.structure("Extension").by_name["url"].attribute


def test_ancestors_come_nearest_first() -> None:
    assert r4.ancestors("Age") == ("Age", "Quantity", "Element")
    assert r4.ancestors("Patient") == ("Patient", "DomainResource", "Resource")


def test_what_r4_does_not_have_is_not_found() -> None:
    assert r4.find("Client") is None
    with pytest.raises(KeyError):
        r4.structure("Patient.client.name")


def test_every_structure_compiles() -> None:
    for name in (*r4.resource_types(), *r4.datatypes()):
        for slot in r4.structure(name).by_key.values():
            assert r4.structure(slot.type)
