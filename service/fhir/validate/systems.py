"""The identifiers of well-known code systems, and the near misses people write instead.

https://hl7.org/fhir/R4/terminologies-systems.html
"""

import re
from functools import lru_cache

SYSTEMS_PAGE = "https://hl7.org/fhir/R4/terminologies-systems.html"
_SYSTEMS = (
    "http://snomed.info/sct",
    "http://loinc.org",
    "http://unitsofmeasure.org",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://hl7.org/fhir/sid/icd-10-cm",
    "http://hl7.org/fhir/sid/icd-10",
    "http://hl7.org/fhir/sid/icd-9-cm",
    "http://hl7.org/fhir/sid/cvx",
    "http://hl7.org/fhir/sid/ndc",
    "http://hl7.org/fhir/sid/us-ssn",
    "http://hl7.org/fhir/sid/us-npi",
    "http://www.ama-assn.org/go/cpt",
    "http://www.cms.gov/Medicare/Coding/ICD10",
    "http://nucc.org/provider-taxonomy",
    "urn:ietf:bcp:47",
    "urn:ietf:bcp:13",
    "urn:iso:std:iso:3166",
)
_OIDS = {
    "2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "2.16.840.1.113883.6.1": "http://loinc.org",
    "2.16.840.1.113883.6.8": "http://unitsofmeasure.org",
    "2.16.840.1.113883.6.88": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "2.16.840.1.113883.6.90": "http://hl7.org/fhir/sid/icd-10-cm",
    "2.16.840.1.113883.6.12": "http://www.ama-assn.org/go/cpt",
}
_PREFIXES = ("http://terminology.hl7.org/", "http://hl7.org/fhir/")


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:").match


def has_scheme(uri: str) -> bool:
    """True for an absolute URI: `http://…`, `urn:…`."""
    return _SCHEME(uri) is not None


def _bare(system: str) -> str:
    return system.lower().removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")


_BARE = {_bare(system): system for system in _SYSTEMS}


@lru_cache(maxsize=2048)
def proper_system(system: str) -> str:
    """The identifier meant by a near miss (`https://loinc.org/`); empty for one that is right or unknown."""
    oid = _OIDS.get(system.removeprefix("urn:oid:"))
    if oid:
        return oid
    meant = _BARE.get(_bare(system))
    if meant:
        return meant if meant != system else ""
    for prefix in _PREFIXES:
        secure = prefix.replace("http:", "https:")
        if system.startswith(secure):
            return prefix + system.removeprefix(secure)
    return ""
