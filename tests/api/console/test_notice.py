"""A page that shows another agency's Part 2 data says so: the statement of 42 CFR 2.32, and the consent it came with."""

from parts import Service
from visitors import visitor

from service.commands.demo import people
from service.consent.terms import NOTICE
from service.fhir.json import decode_object, encode

NORTHSIDE = "Northside Housing Partnership"
SCOPE = "Disclosed with the client's written consent of 2026-03-05 to Harbor for treatment."
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ARTIFACT = (
    "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-related-artifact"
)


def labelled() -> dict[str, object]:
    artifact = {"type": "documentation", "citation": "not the statute's words", "display": SCOPE}
    policy = {
        "system": ACT,
        "code": "42CFRPart2",
        "extension": [{"url": ARTIFACT, "valueRelatedArtifact": artifact}],
    }
    return {"resourceType": "Patient", "meta": {"security": [policy]}, "name": [{"family": "Moreno"}]}


async def test_another_agencys_part_2_data_is_shown_with_the_statement_and_the_consents_scope(
    service: Service,
) -> None:
    await service.partner(people.HARBOR, "casework")
    await service.partner(NORTHSIDE, "referral-source", scopes=["system/*.cruds"])
    async with await service.client(NORTHSIDE) as northside:
        made = decode_object((await northside.post("/fhir/Patient", content=encode(labelled()))).content)
        plain = {"resourceType": "Patient", "name": [{"family": "Haddad"}]}
        other = decode_object((await northside.post("/fhir/Patient", content=encode(plain))).content)
    async with visitor(service, "case-manager") as person:
        for path in (f"/console/resources/Patient/{made['id']}", f"/console/clients/{made['id']}"):
            page = await person.page(path)
            assert NOTICE in page
            assert SCOPE.replace("'", "&#39;") in page
            assert page.index(NOTICE) < page.index("<h1"), "above everything else"
        assert NOTICE not in await person.page(f"/console/clients/{other['id']}")


async def test_what_we_labelled_ourselves_is_no_disclosure_to_ourselves(service: Service) -> None:
    await service.partner(people.HARBOR, "casework")
    async with await service.client(people.HARBOR) as harbor:
        made = decode_object((await harbor.post("/fhir/Patient", content=encode(labelled()))).content)
    async with visitor(service, "case-manager") as person:
        assert NOTICE not in await person.page(f"/console/resources/Patient/{made['id']}")
