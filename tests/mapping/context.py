"""The context every mapping test maps in: Harbor's own records, 9 March 2026."""

from datetime import UTC, datetime

from service.mapping import MappingContext, Source

HARBOR = "Organization/0d7c1f0e-harbor"
HERE = MappingContext(
    base="https://fhir.harbor.example/fhir",
    now=datetime(2026, 3, 9, 22, 0, tzinfo=UTC),
    source=Source("harbor", HARBOR, None, "Harbor Recovery Services"),
)
