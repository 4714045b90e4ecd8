"""What no patch may change: which resource this is."""

from service.fhir.json import MAX_DEPTH, Json, JsonObject
from service.kernel.failures import Refused


def same_resource(before: Json, after: Json) -> JsonObject:
    """The patched resource, if it still is the same one; `Refused("unprocessable")` otherwise."""
    if type(after) is not dict or type(before) is not dict:
        raise Refused("unprocessable", "the patch leaves no resource behind")
    for key in ("resourceType", "id"):
        if before.get(key) != after.get(key):
            raise Refused("unprocessable", f"a patch may not change {key}")
    if _deeper_than(after, MAX_DEPTH):
        raise Refused("unprocessable", f"the patch nests the resource deeper than {MAX_DEPTH} levels")
    return after


def _deeper_than(value: Json, limit: int) -> bool:
    # Level by level, because a patch of many moves could build what recursion cannot walk.
    level: list[Json] = [value]
    for _ in range(limit + 1):
        containers = [one.values() if isinstance(one, dict) else one for one in level if _is_container(one)]
        if not containers:
            return False
        level = [member for container in containers for member in container]
    return True


def _is_container(value: Json) -> bool:
    return isinstance(value, dict | list)
