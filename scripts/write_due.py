"""Write the timers into docs/coordination.md, their codes into fhir_profiles: `python scripts/write_due.py`."""

import json
from pathlib import Path

from service.coordination.timers import Row, rows

PAGE = Path("docs/coordination.md")
CODES = Path("fhir_profiles/terms/CodeSystem-timer.json")
HEAD, TAIL = "<!-- timers -->\n", "<!-- end of timers -->\n"
_CLOCKS = {
    "working-days": "{} working days after", "working-days-before": "{} working days before",
    "days": "{} days after", "months": "{} months after", "hours": "{} hours after", "same-day": "the same working day",
    "month-end": "{} by the end of the month",
    "none": "",
}  # fmt: skip


def line(row: Row) -> str:
    """One timer as a line of the page."""
    if row.shape == "none":
        when = "a report" if row.id == "T11" else "by hand"
        return f"| {row.id} | {row.rule} | | {when} | | | | {row.requirement} |"
    when = _one(_CLOCKS[row.clock].format(row.due))
    if row.shape == "sampled":
        when += ", of every fourth"
    if row.clock == "days" and not row.due:
        when = "the same day"
    if row.around:
        when += f", {row.around} days before or after"
    again = {"again": "; then again", "yearly": "; each year"}.get(row.shape, "")
    unit = "hours" if row.clock == "hours" else "working days"
    late = _one(f"{row.escalate} {unit} later") if row.escalate else "at once"
    who = row.owner + (f" ({row.tier} only)" if row.tier else "")
    closes = ", ".join(row.closes) or "by hand"
    return f"| {row.id} | {row.rule} | {row.starts} | {when}{again} | {late} | {who} | {closes} | {row.requirement} |"


def _one(text: str) -> str:
    """One working day, not one working days."""
    return text.replace("days", "day").replace("months", "month") if text.startswith("1 ") else text


def table() -> str:
    """The whole table."""
    head = "| timer | what is due | counted from | due | goes to the supervisor | owed by | closed by | requirement |\n"
    return head + "|---|---|---|---|---|---|---|---|\n" + "".join(f"{line(row)}\n" for row in rows.values())


def codes() -> str:
    """The code system of the timers' ids: Task.reasonCode."""
    concepts = [{"code": row.id, "display": row.rule} for row in rows.values()]
    whole = {
        "resourceType": "CodeSystem", "id": "timer", "url": "https://casebridge.example/fhir/CodeSystem/timer",
        "version": "1.0.0", "name": "Timer", "title": "Timers of case management", "status": "active",
        "experimental": False, "publisher": "Casebridge", "caseSensitive": True, "content": "complete",
        "count": len(concepts), "concept": concepts,
    }  # fmt: skip
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write both."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(HEAD)
    PAGE.write_text(before + HEAD + table() + TAIL + rest.partition(TAIL)[2], encoding="utf-8")
    CODES.write_text(codes(), encoding="utf-8")


if __name__ == "__main__":
    main()
