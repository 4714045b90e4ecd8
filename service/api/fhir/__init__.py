"""The FHIR door: one function per interaction, for every type of the catalogue."""
