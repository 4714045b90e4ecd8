"""The paths of the FHIR door. The first that fits is taken, so what is asked most comes first."""

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Route

from service.api.fhir import history, instance, search, system
from service.api.fhir import type as type_
from service.api.fhir.door import Endpoint
from service.api.fhir.methods import Methods


class _Name(Convertor[str]):
    """A resource type as it is written: a capital and letters."""

    regex = "[A-Z][A-Za-z]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Plain(_Name):
    """An id, or what was meant to be one: anything but an operation or an underscored name."""

    regex = "[^/$_][^/]*"


register_url_convertor("fhirtype", _Name())
register_url_convertor("fhirid", _Plain())


def _path(path: str, **endpoints: Endpoint) -> Route:
    return Route(path, Methods(endpoints))


_INSTANCE = "/fhir/{type:fhirtype}/{id:fhirid}"

routes = [
    _path(_INSTANCE, GET=instance.read, PUT=instance.update, PATCH=instance.patch, DELETE=instance.delete),
    _path(
        "/fhir/{type:fhirtype}", GET=search.type_, POST=type_.create, PUT=type_.update, PATCH=type_.patch,
        DELETE=type_.delete,
    ),
    _path("/fhir/metadata", GET=system.metadata),
    _path("/fhir", GET=search.system, POST=system.bundle),
    _path("/fhir/", GET=search.system, POST=system.bundle),
    _path("/fhir/_search", POST=search.system),
    _path("/fhir/_history", GET=history.history),
    _path("/fhir/{type:fhirtype}/_search", POST=search.type_),
    _path("/fhir/{type:fhirtype}/_history", GET=history.history),
    _path(_INSTANCE + "/_history/{vid}", GET=instance.vread),
    _path(_INSTANCE + "/_history", GET=history.history),
    _path(_INSTANCE + "/{member}", GET=search.compartment),
]  # fmt: skip
