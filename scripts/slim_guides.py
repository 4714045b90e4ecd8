"""Slim published guides into fhir_profiles/guides/<name>-<version>.ndjson.gz, to check against them.

    .venv/bin/python scripts/slim_guides.py [folder with the .tgz files] [package …]

The results are committed; they are opened lazily, and a profile is compiled when it is first asked for.
"""

import sys
from pathlib import Path

from service.fhir.shelf import write_shelf
from service.fhir.validate.packages import artefacts, slimmed

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "fhir_profiles" / "guides"
GUIDES = (
    "hl7.fhir.us.core-7.0.0",
    "hl7.fhir.us.sdoh-clinicalcare-3.0.0",
    "hl7.fhir.uv.subscriptions-backport.r4-1.1.0",
    "hl7.fhir.uv.sdc-4.0.0",
    "ihe.iti.balp-1.1.5-current",
)

NOT_FOR_R4 = (
    # asks for a SubscriptionStatus, a type of R4B
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription-notification",
)


def main(folder: Path, names: tuple[str, ...]) -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in names:
        found = [each for each in artefacts(folder / f"{name}.tgz") if each[1]["url"] not in NOT_FOR_R4]
        size = write_shelf(TARGET / f"{name}.ndjson.gz", slimmed(found))
        print(f"{name}: {size} bytes")


if __name__ == "__main__":
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "fhir-packages"
    main(source, tuple(sys.argv[2:]) or GUIDES)
