"""Which rules a row of the index was written by: another number when a parameter or the form of a key changes."""

import zlib

from service.fhir.shelf import data_folder

_FORM = b"form 3"
"""Raise it with every change to what `extract` says of the same resource and the same parameters."""

_PARAMETERS = (data_folder() / "search" / "parameters.ndjson.gz").read_bytes()
EDITION = zlib.crc32(_FORM + _PARAMETERS) >> 1
"""A number of 31 bits, the same wherever the same release runs. `casebridge reindex` looks for rows of another."""
