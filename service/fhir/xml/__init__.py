"""FHIR XML (https://hl7.org/fhir/R4/xml.html) from and to the decoded JSON everything else works with.

    to_xml(resource) -> bytes
    from_xml(raw) -> resource

Lossless both ways for every R4 type: order, attributes and repetitions come from the R4 table, decimals keep
their digits, the narrative's `div` its characters.
"""

from service.fhir.xml.errors import BadXml, NotXml
from service.fhir.xml.read import from_xml
from service.fhir.xml.write import to_xml

__all__ = ["BadXml", "NotXml", "from_xml", "to_xml"]
