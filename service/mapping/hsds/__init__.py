"""Open Referral HSDS 3.0 → our directory, and our directory → HSDS-FHIR 1.0. Pure: others read the files."""
