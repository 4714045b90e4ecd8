"""The case-management system's own words. No FHIR here: a record can be read by a person who never saw it."""
