"""Write what Casebridge reads of the CSAT GPRA tool, and its Questionnaire: `python scripts/build_gpra.py`.

In: `fhir_profiles/gpra/csat-gpra-2019.1/`: `items.csv` (the form, a row an item), `diagnoses.txt` (its ICD-10 list) and
`edits.csv` (what must hold between items). Out: `asked.csv` beside them (a row a question, with its place in the
download) and `fhir_profiles/instruments/Questionnaire-csat-gpra.json`. Then SUPRT-A and SUPRT-C by their known parts.
"""

import csv
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from service.coordination.gpra.measure_report import definition
from service.coordination.gpra.questionnaire import form
from service.coordination.gpra.suprt import FORMS
from service.coordination.gpra.tool import NAMES, read_tool

PROFILES = Path(__file__).resolve().parents[1] / "fhir_profiles"
TOOL = PROFILES / "gpra" / "csat-gpra-2019.1"
ADMINISTRATION = {"F2a": "a", "F2b": "b", "F2c": "c"}
FIRST = ("GrantNo", "ClientID", "ClientType", "InterviewTypeCode", "IntakeSeqNum", "InterviewDate")
"""How the download begins; `ConductedInterview` stands with the follow-up and discharge status."""
RACES = ("Black", "Asian", "AmericanIndian", "NativeHawaiian", "AlaskaNative", "White")
SPREAD = {
    "gpra.A.SBIRT.2": ("ScoreType", "ScoreValue", "Otherspec"),
    "gpra.A6.r[1..6]": ("", "Other"),
}
DROPPED = {
    "SBIRT grant only", "SBIRT", "A.4=5", "A.4 in (2,3,4,6)", "A.4!=1", "A.4=1 or A.4c=1", "A1!=1", "B1a>0 or B1c>0",
}  # fmt: skip
"""Conditions that are not about an answer of this interview alone: the interview's kind says them, or an edit does."""
TROUBLES = (
    "Depression",
    "Anxiety",
    "Hallucinations",
    "BrainFunction",
    "ViolentBehavior",
    "Suicide",
    "PsycholEmotMedication",
)
DETOX = ("SvcHospitalInpatient", "SvcFreeStandingRes", "SvcAmbulatoryDetox")
COMBAT = ("IraqAfghanistan", "PersianGulf", "VietnamSoutheastAsia", "Korea", "WWII", "DeployedCombatZone")
MANAGED = ("ConductedInterview", "IntakeSeqNum")
"""The form asks these at some interviews; here every interview says them."""
HOUSED = (
    "1=Own/rent apartment, room, or house|2=Someone else's apartment, room, or house|3=Dormitory/college residence"
    "|4=Halfway house|5=Residential treatment|6=Other housed (specify)"
)
"""In the order of the form; public sources disagree about the numbers of the last two (docs/gpra.md)."""


def main() -> None:
    rows = list(csv.DictReader((TOOL / "items.csv").read_text(encoding="utf-8").splitlines()))
    write(TOOL / "asked.csv", placed([each for row in rows for each in questions(row, diagnoses())], rows))
    tool = read_tool("csat-gpra", "2019.1")
    assert tool is not None
    put(form(tool))
    measure = json.dumps(definition(tool), indent=1, ensure_ascii=False) + "\n"
    (PROFILES / "gpra" / "Measure-gpra-outcomes.json").write_text(measure, encoding="utf-8")
    for each in FORMS:
        put(each)


def put(questionnaire: dict[str, Any]) -> None:
    path = PROFILES / "instruments" / f"Questionnaire-{questionnaire['id']}.json"
    path.write_text(json.dumps(questionnaire, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write(path: Path, rows: list[dict[str, str]]) -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, NAMES, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8")


def diagnoses() -> str:
    """The form's list as options: the first code of a range, its words."""
    found = []
    for line in (TOOL / "diagnoses.txt").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\s*(F[0-9.]+(?:[^A-Za-z]*?F[0-9.]+)*)\s*–\s*(.+?)\s*$", line):
            code = re.sub(r"\s*,\s*", ",", match[1]).replace("–", "-")
            found.append(f"{code}={match[2].replace('=', ' ')}")
    return "|".join([*found, "-7=None of the above"])


def questions(row: dict[str, str], dx: str) -> Iterator[dict[str, str]]:
    """One row of the form as the questions it holds, each with one column of the download or none."""
    link, text, kind = row["linkId"], row["text"], row["fhirType"].rstrip("*")
    options = (
        dx
        if row["options"].startswith("form ICD-10")
        else HOUSED
        if link == "gpra.C1h"
        else chosen(row["options"])
    )
    column = row["sparsColumn"].replace(" (discharge record)", "")
    made = {"column": "" if column == "-" else column, "text": text, "type": kind, "options": options}
    if link == "gpra.A4":
        yield asked(
            row, {**made, "column": "BirthMonth", "type": "integer", "text": "Month of birth"}, ("1", "12")
        )
        yield asked(
            row, {**made, "column": "BirthYear", "type": "integer", "text": "Year of birth"}, ("1900", "2100")
        )
    elif link == "gpra.A.SBIRT.2":
        for n in "123":
            base = "ClientIntake_ClientIntakeSBIRT_Score"
            yield asked(
                row,
                {**made, "column": f"{base}Type{n}", "type": "string", "text": f"Screening instrument {n}"},
            )
            yield asked(
                row,
                {**made, "column": f"{base}Value{n}", "type": "integer", "text": f"Its score {n}"},
                ("0", "999"),
            )
            yield asked(
                row,
                {**made, "column": f"SbirtOtherspec{n}", "type": "string", "text": f"Other instrument {n}"},
            )
    elif link.endswith("[1..6]"):
        for n in "123456":
            name = re.split(r"\d", column)[0]
            yield person(asked(row, {**made, "column": f"{name}{n}", "text": f"Person {n}: {text}"}), n)
            if name == "ServiceMemRelationship":
                other = {**made, "column": f"ServiceMemExpOther{n}", "type": "string", "options": ""}
                yield {
                    **asked(row, {**other, "text": f"Person {n}: other (specify)"}),
                    "skip": f"{name}{n}=8",
                }
    else:
        yield asked(row, made)


def chosen(options: str) -> str:
    """Without refused and don't know, which an answer says by its reason; without codes nobody could tell us."""
    return "|".join(each for each in options.split("|") if "=" in each and not each.startswith(("-", "?")))


def asked(row: dict[str, str], made: dict[str, str], bounds: tuple[str, str] | None = None) -> dict[str, str]:
    received = row["officialNo"].startswith("K.")
    own = f"{made['column']}Received" if received else made["column"]
    low, high = bounds or limits(row["range"], made["type"])
    return {
        "place": "", "section": row["officialNo"][0], "link": own or row["officialNo"], "column": made["column"],
        "no": row["officialNo"], "type": made["type"], "text": made["text"], "options": made["options"],
        "low": low, "high": high, "skip": condition(row),
        "interviews": "IFD" if own in MANAGED else row["interviews"].replace(",", ""),
        "groups": groups(row, made["column"], received),
        "xml": "" if row["saisXml"].startswith(("-", "(")) else row["saisXml"],
        "evidence": row["confidence"],
    }  # fmt: skip


def limits(text: str, kind: str) -> tuple[str, str]:
    if kind != "integer":
        return "", ""
    found = re.match(r"(\d+)-(\d+)", text)
    return (found[1], found[2]) if found else ("0", "999")


def person(made: dict[str, str], n: str) -> dict[str, str]:
    """The first when there is any, the second when there are more, the others as they come; of each, its details."""
    if not made["column"].startswith("ServiceMemRelationship"):
        return {**made, "skip": f"ServiceMemRelationship{n}?"}
    more = {"groups": f"{made['groups']} optional"} if n > "2" else {}
    return {**made, **more, **({"skip": "FamilyActiveDuty=2"} if n > "1" else {})}


LINKS: dict[str, str] = {}


def condition(row: dict[str, str]) -> str:
    """The form's skip with the names of the questions: `DAUseAlcoholDays>0 and DAUseIllegDrugsDays>0`."""
    text = row["enableWhen"]
    if text in DROPPED:
        return ""
    if text == "any F10>0":
        return " or ".join(f"{each}>0" for each in TROUBLES)
    return re.sub(r"(.+?)( answered|[=>]\S+)( and |$)", one, text).replace(
        "LivingHoused=Other", "LivingHoused=6"
    )


def one(found: re.Match[str]) -> str:
    test = "?" if found[2] == " answered" else found[2]
    return f"{LINKS[found[1]]}{test}{found[3]}"


def groups(row: dict[str, str], column: str, received: bool) -> str:
    no, found = row["officialNo"], []
    if no.startswith(("A.PS.", "K.")) and row["fhirType"] != "string":
        when = "received" if received else "planned"
        found.append(f"{when}Modalities" if ".Modality." in no else f"{when}Services")
        found += [f"{when}Detox"] if column in DETOX else []
    if no.startswith("B2"):
        found += (
            ["drugDays"] if column.endswith("Days") else ["drugRoutes"] if column.endswith("Route") else []
        )
    if no in ("A.BHD.1", "A.BHD.2", "A.BHD.3"):
        found.append("diagnoses")
    if re.fullmatch(r"A\.BHD\.\dc", no):
        found.append("ranks")
    found += ["combat"] if column in COMBAT else []
    found += ["relatives"] if column.startswith("ServiceMemRelationship") else []
    found += ["impacts"] if no in ("C3", "C4", "C5") else []
    return " ".join(found)


def placed(rows: list[dict[str, str]], _form: list[dict[str, str]]) -> list[dict[str, str]]:
    """With the place of each column in the download: as it begins, then by section, relatives one by one, the
    services last, planned and received in the same columns."""
    columns = [row["column"] for row in rows if row["column"]]
    names = list(dict.fromkeys(columns))
    svc = [each for each in names if each.startswith("Svc")]
    relatives = [
        f"ServiceMem{what}{n}"
        for n in "123456"
        for what in (
            "Relationship",
            "ExpOther",
            "ExpDeployed",
            "ExpInjured",
            "ExpCombatStress",
            "ExpDeceased",
        )
    ]
    order: list[str] = [*FIRST]
    for name in names:
        group = (
            relatives if name == "ServiceMemRelationship1" else ["BirthYear", "BirthMonth"] if name == "BirthMonth"
            else [f"Race{each}" for each in RACES] if name == "RaceBlack"
            else ["ConductedInterview", name] if name == "FLWPStatus"
            else [] if name in (*svc, "ConductedInterview") else [name]
        )  # fmt: skip
        order += [each for each in group if each not in order]
    order += svc
    assert sorted(order) == sorted(names), set(order) ^ set(names)
    at = {name: str(n) for n, name in enumerate(order, 1)}
    return [{**row, "place": at.get(row["column"], "")} for row in rows]


for _row in csv.DictReader((TOOL / "items.csv").read_text(encoding="utf-8").splitlines()):
    _name = _row["sparsColumn"].replace(" (discharge record)", "")
    LINKS[_row["officialNo"]] = f"{_name}Received" if _row["officialNo"].startswith("K.") else _name

if __name__ == "__main__":
    main()
