"""The shared outcome data (GPRA, SUPRT): the tool as a table, what must hold in an interview, when which is due, and
how clients fare. Pure; the tables are data of `fhir_profiles/gpra`, a folder a tool and version."""
