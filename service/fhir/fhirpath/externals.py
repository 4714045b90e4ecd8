"""The `%names`: what FHIR defines, and what the scope adds."""

from service.fhir.fhirpath.code import Code, constant, listing
from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.node import Items
from service.fhir.fhirpath.scope import Run

_SYSTEMS = {
    "ucum": "http://unitsofmeasure.org",
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}
_PREFIXES = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}


def external(name: str) -> Code:
    """Code for `%name`; a name nobody defines is an error when it is evaluated."""
    if name in _SYSTEMS:
        return constant([_SYSTEMS[name]])
    for prefix, url in _PREFIXES.items():
        if name.startswith(prefix):
            return constant([url + name.removeprefix(prefix)])
    match name:
        case "resource":
            return listing(_resource)
        case "rootResource":
            return listing(_root)
        case "context":
            return listing(lambda run, _this: run.context)
    return listing(lambda run, _this: _variable(run, name))


def _resource(run: Run, _this: Items) -> Items:
    resource = run.scope.resource
    return run.context if resource is None else [resource]


def _root(run: Run, this: Items) -> Items:
    root = run.scope.root_resource
    return _resource(run, this) if root is None else [root]


def _variable(run: Run, name: str) -> Items:
    variables = run.scope.variables
    if name not in variables:
        raise EvaluationError(f"nothing is known as %{name[:40]}")
    value = variables[name]
    if value is None:
        return []
    return value if type(value) is list else [value]
