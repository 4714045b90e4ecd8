"""The door to validation: `load()` once, then `validator.validate(resource)` from any thread."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.fhir.shelf import Shelf, data_folder, read_shelf
from service.fhir.validate.apply import apply_profile, conforms
from service.fhir.validate.definitions import Definitions
from service.fhir.validate.facts import node
from service.fhir.validate.packages import Guide, open_package, read_package
from service.fhir.validate.place import Place, root
from service.fhir.validate.resources import check_version
from service.fhir.validate.run import Run, Whole, shown_url
from service.fhir.validate.walk import walk_resource


class Validator:
    """Checks resources against R4 and the profiles it was loaded with. Keeps nothing between calls.

    `guides`: what the operator added.
    """

    def __init__(self, definitions: Definitions, guides: tuple[Guide, ...] = ()) -> None:
        self.definitions = definitions
        self.guides = guides

    def validate(self, resource: JsonObject, profiles: Sequence[str] = ()) -> list[Issue]:
        """Everything wrong with a resource, against R4, its `meta.profile`, and the profiles asked for.

        `resource` comes from `service.fhir.json.decode` or has the same shape. A profile claimed but unknown
        is a warning; one asked for but unknown is an error. Never raises, whatever the shape.
        """
        name = resource.get("resourceType") if isinstance(resource, dict) else None
        place = root(name if isinstance(name, str) and name.isidentifier() else "Resource")
        run = Run(Whole(self.definitions, conforms), resource, resource, place)
        walk_resource(run, resource, place)
        for url in profiles if isinstance(name, str) else ():
            self._asked(run, resource, url, place)
        return run.issues

    def _asked(self, run: Run, resource: JsonObject, url: str, place: Place) -> None:
        type_ = self.definitions.type_of(url)
        name = str(resource.get("resourceType"))
        if not type_:
            finding = f"the profile {shown_url(url)} is not known here, so it cannot be checked"
            finding += run.suggest(url, self.definitions.beside(url))
            run.report(place, "not-found", "profile-unknown", url, finding)
        elif type_ not in (name, "Resource", "DomainResource"):
            finding = f"the profile {shown_url(url)} is for {type_}, this resource is {name}"
            run.report(place, "value", "profile-type", url, finding)
        elif not _claims(resource, url):
            check_version(run, url, place)
            apply_profile(run, url, resource, name, place)

    def knows(self, canonical: str) -> bool:
        """True when conformance to this profile can be checked."""
        return self.definitions.knows(canonical)

    def compile(self, types: Iterable[str], profiles: Iterable[str] = ()) -> None:
        """Compile ahead what is going to be used, so that the first request is as fast as the next."""
        for name in types:
            self.validate({"resourceType": name})
            node(name)
        for url in profiles:
            self.validate({"resourceType": self.definitions.type_of(url)}, [url])


def _claims(resource: JsonObject, url: str) -> bool:
    meta = resource.get("meta")
    claimed = meta.get("profile") if isinstance(meta, dict) else None
    return isinstance(claimed, list) and url in claimed


def load(packages: Iterable[Path | str] = (), guides: Iterable[str] | None = None) -> Validator:
    """A validator for R4, our own profiles, the guides we ship, and the operator's packages.

    A package is a `.tgz` or a folder; a broken one raises `BrokenPackage` naming the file and the element.
    """
    read = [read_package(Path(package)) for package in packages]
    shelves: list[Shelf] = [package.shelf() for package in read]
    own = data_folder() / "package"
    if own.is_dir():
        shelves.append(open_package(own))
    for path in sorted((data_folder() / "guides").glob("*.ndjson.gz")):
        if guides is None or path.name.removesuffix(".ndjson.gz") in set(guides):
            shelves.append(read_shelf(path))
    definitions = Definitions(shelves)
    for package in read:
        package.expect_bases(definitions.knows)
    return Validator(definitions, tuple(package.guide for package in read))
