"""Casebridge: case management and FHIR R4, joined. See docs/architecture.md for the rings."""
