"""The value sets and code systems that a search may name: R4's, ours, and the operator's guides."""

from dataclasses import dataclass

from service.fhir import artefacts
from service.fhir.search.asking import Set, Terms
from service.flows.context import Context


@dataclass(frozen=True, slots=True)
class Known:
    """What the validator knows; value sets that we serve also by their place, `ValueSet/[id]`."""

    terms: Terms

    def value_set(self, canonical: str) -> Set | None:
        """As `Terms`."""
        served = artefacts.shelf("ValueSet").get(canonical.removeprefix("ValueSet/"))
        by_place = served is not None and canonical.startswith("ValueSet/")
        return self.terms.value_set(served.resource["url"] if served and by_place else canonical)

    def below(self, system: str, code: str) -> frozenset[str] | None:
        """As `Terms`."""
        return self.terms.below(system, code)

    def above(self, system: str, code: str) -> frozenset[str] | None:
        """As `Terms`."""
        return self.terms.above(system, code)


def known(context: Context) -> Known:
    """What may be named here; loads the rules of this process if nothing has yet."""
    return Known(context.terms())
