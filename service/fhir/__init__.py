"""The standard: what FHIR R4 says, as code and tables. No I/O, no clock, no knowledge of our rooms."""
