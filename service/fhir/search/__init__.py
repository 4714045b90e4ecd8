"""Search, pure: what finds a resource (`extract`), and what a search asks (`parse`). https://hl7.org/fhir/R4/search.html"""

from service.fhir.search.extract import Indexed, extract

__all__ = ["Indexed", "extract"]
