"""A partner agency as a real process: its own FHIR R4 server, keys, token endpoint and staff.

Somebody else's system, used by the demo, the tests and by engineers who want to try. It shares no code with
the service beyond `fhir.json` and the kernel, so that the two can be wrong only independently.
"""
