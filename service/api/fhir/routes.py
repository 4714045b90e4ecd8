"""The paths of the FHIR door. The first that fits is taken, so what is asked most comes first."""

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Route

from service.api.fhir import (
    audit,
    binary,
    definitions,
    exports,
    history,
    instance,
    lead,
    measures,
    operations,
    questionnaire,
    search,
    subscriptions,
    system,
)
from service.api.fhir import type as type_
from service.api.fhir.door import Endpoint
from service.api.fhir.methods import Methods
from service.fhir.artefacts import PUBLISHED
from service.flows.measures.evaluate import shipped
from service.flows.questionnaire import SHIPPED


class _Name(Convertor[str]):
    """A resource type as it is written: a capital and letters."""

    regex = "[A-Z][A-Za-z]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Binary(_Name):
    """The one type that is also bytes."""

    regex = binary.TYPE


class _Plain(_Name):
    """An id, or what was meant to be one: anything but an operation or an underscored name."""

    regex = "[^/$_][^/]*"


class _Form(_Name):
    """A Questionnaire that we ship."""

    regex = "|".join(SHIPPED)


class _Measure(_Name):
    """A Measure that we ship."""

    regex = "|".join(shipped())


class _Published(_Name):
    """A type of which we publish our own definitions."""

    regex = "|".join(PUBLISHED)


register_url_convertor("fhirdefinition", _Published())
register_url_convertor("fhirbinary", _Binary())
register_url_convertor("fhirform", _Form())
register_url_convertor("fhirmeasure", _Measure())
register_url_convertor("fhirtype", _Name())
register_url_convertor("fhirid", _Plain())


def _path(path: str, **endpoints: Endpoint) -> Route:
    return Route(path, Methods(endpoints))


_INSTANCE = "/fhir/{type:fhirtype}/{id:fhirid}"
_BINARY = "/fhir/{type:fhirbinary}"
_DEFINITION = "/fhir/{type:fhirdefinition}"


def _operation(path: str, code: str, affects: bool) -> Route:
    if affects:
        return _path(f"{path}/${code}", POST=operations.operate)
    return _path(f"{path}/${code}", GET=operations.operate, POST=operations.operate)


_operations = [
    _operation("/fhir", "validate", True),
    _operation("/fhir/{type:fhirtype}", "validate", True),
    _operation(_INSTANCE, "validate", False),
    _operation("/fhir", "meta", False),
    _operation("/fhir/{type:fhirtype}", "meta", False),
    _operation(_INSTANCE, "meta", False),
    _operation(_INSTANCE + "/_history/{vid}", "meta", False),
    _operation(_INSTANCE, "meta-add", True),
    _operation(_INSTANCE, "meta-delete", True),
    _operation("/fhir/{type:fhirtype}", "match", True),
    _operation("/fhir/{type:fhirtype}", "merge", True),
    _operation("/fhir/{type:fhirtype}", "unmerge", True),
    _operation("/fhir/{type:fhirtype}", "everything", False),
    _operation(_INSTANCE, "everything", False),
    _operation(_INSTANCE, "coordination-summary", False),
]

routes = [
    _path(f"/fhir/{audit.TYPE}/{{id:fhirid}}", GET=audit.read),
    _path(f"/fhir/{audit.TYPE}", GET=audit.search),
    _path(f"/fhir/{audit.TYPE}/_search", POST=audit.search),
    _path("/fhir/Patient/{id:fhirid}/$disclosures", GET=audit.disclosures, POST=audit.disclosures),
    _path("/fhir/Consent/$decide", POST=audit.decide),
    _path("/fhir/Patient/{id:fhirid}/$break-glass", POST=audit.break_glass),
    _path("/fhir/Patient/{id:fhirid}/$primary-case-manager", GET=lead.read, POST=lead.say),
    _path(
        _BINARY + "/{id:fhirid}", GET=binary.read, PUT=binary.update, PATCH=instance.patch,
        DELETE=instance.delete,
    ),
    _path(_DEFINITION + "/{id:fhirid}", GET=definitions.read),
    _path("/fhir/Questionnaire/{id:fhirform}", GET=questionnaire.read_form),
    _path("/fhir/Measure/{id:fhirmeasure}", GET=measures.read),
    _path(_INSTANCE, GET=instance.read, PUT=instance.update, PATCH=instance.patch, DELETE=instance.delete),
    _path(
        _BINARY, GET=search.type_, POST=binary.create, PUT=type_.update, PATCH=type_.patch, DELETE=type_.delete
    ),
    _path(_DEFINITION, GET=definitions.search),
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
    *_operations,
    _path("/fhir/$process-message", POST=system.message),
    _path("/fhir/$export", GET=exports.kick_off, POST=exports.kick_off),
    _path("/fhir/Patient/$export", GET=exports.kick_off, POST=exports.kick_off),
    _path("/fhir/Group/{id:fhirid}/$export", GET=exports.kick_off, POST=exports.kick_off),
    _path("/fhir/export/{job}", GET=exports.status, DELETE=exports.cancel),
    _path("/fhir/export/{job}/{file}", GET=exports.file),
    _path("/fhir/Subscription/$status", GET=subscriptions.status, POST=subscriptions.status),
    _path("/fhir/Subscription/{id:fhirid}/$status", GET=subscriptions.status, POST=subscriptions.status),
    _path("/fhir/Subscription/{id:fhirid}/$events", GET=subscriptions.events, POST=subscriptions.events),
    _path("/fhir/Questionnaire/$populate", GET=questionnaire.populate, POST=questionnaire.populate),
    _path("/fhir/Questionnaire/{id:fhirid}/$populate", GET=questionnaire.populate, POST=questionnaire.populate),
    _path("/fhir/Measure/$evaluate-measure", GET=measures.evaluate, POST=measures.evaluate),
    _path("/fhir/Measure/{id:fhirid}/$evaluate-measure", GET=measures.evaluate, POST=measures.evaluate),
    _path("/fhir/QuestionnaireResponse/$extract", POST=questionnaire.extract),
    _path("/fhir/QuestionnaireResponse/{id:fhirid}/$extract", GET=questionnaire.extract, POST=questionnaire.extract),
    _path(_INSTANCE + "/{member}", GET=search.compartment),
]  # fmt: skip
