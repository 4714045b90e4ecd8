"""Bulk Data Access 3.0: `$export` asked (ask), found page by page by the worker (work), looked after (status), fetched
(fetch). What is found and what is fetched go through the same eyes (look): the client's consents as they stand then.

https://hl7.org/fhir/uv/bulkdata/export.html
"""
