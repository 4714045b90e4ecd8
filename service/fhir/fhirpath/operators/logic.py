"""and, or, xor, implies: three-valued (N1 section 6.5); the right side is asked only when it matters."""

from service.fhir.fhirpath.code import Code, deciding
from service.fhir.fhirpath.node import Items
from service.fhir.fhirpath.scope import Run


def _and(left: Code, right: Code) -> Code:
    first, second = left.truth, right.truth

    def truth(run: Run, this: Items) -> bool | None:
        one = first(run, this)
        if one is False:
            return False
        other = second(run, this)
        return other if one is True or other is False else None

    return deciding(truth)


def _or(left: Code, right: Code) -> Code:
    first, second = left.truth, right.truth

    def truth(run: Run, this: Items) -> bool | None:
        one = first(run, this)
        if one is True:
            return True
        other = second(run, this)
        return other if one is False or other is True else None

    return deciding(truth)


def _xor(left: Code, right: Code) -> Code:
    first, second = left.truth, right.truth

    def truth(run: Run, this: Items) -> bool | None:
        one, other = first(run, this), second(run, this)
        return None if one is None or other is None else one is not other

    return deciding(truth)


def _implies(left: Code, right: Code) -> Code:
    first, second = left.truth, right.truth

    def truth(run: Run, this: Items) -> bool | None:
        one = first(run, this)
        if one is False:
            return True
        other = second(run, this)
        return other if one is True else (True if other is True else None)

    return deciding(truth)


LOGIC = {"and": _and, "or": _or, "xor": _xor, "implies": _implies}
