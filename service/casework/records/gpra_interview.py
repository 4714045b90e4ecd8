"""The GPRA interview: one of an intake, of a client, under a grant, conducted or not (#24)."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from service.casework.records.answers import Answer
from service.casework.records.words import (
    CaseManagerId,
    ClientId,
    EncounterId,
    PartialDay,
    RecordId,
    Several,
    Slug,
    Written,
)


class GpraInterview(Written):
    """An interview of the shared outcome data; the tool and its version are data, not code."""

    id: RecordId
    client: ClientId
    tool: Slug = "csat-gpra"
    version: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,19}$")] = "2019.1"
    grant: Annotated[str, StringConstraints(pattern=r"^[^|\s]{1,40}$")]
    gpra_client: Annotated[str, StringConstraints(pattern=r"^[^|\s]{1,15}$")]
    """The GPRA client id: at most 15 characters, one for each client and grant, whoever serves them."""
    type: Literal["intake", "six-month", "three-month", "annual", "discharge", "post-discharge"]
    """Of SUPRT: `intake` is the baseline, `six-month` the reassessment, `annual`, `discharge` the closeout."""
    sequence: Annotated[int, Field(ge=1, le=99)] = 1
    """Which intake of this client under this grant."""
    conducted: bool = True
    date: PartialDay
    """The interview date; for one not conducted, when that was found."""
    follow_up: Literal["01", "11", "12", "21", "22", "23", "24", "31", "32"] | None = None
    """Follow-up status (section I), at follow-up only."""
    by: CaseManagerId | None = None
    encounter: EncounterId | None = None
    status: Literal["in-progress", "completed", "amended", "entered-in-error"] = "completed"
    answers: Several[Answer] = ()

    @model_validator(mode="after")
    def _annual_is_suprt(self) -> Self:
        if self.type == "annual" and not self.tool.startswith("suprt-"):
            raise ValueError("annual is an assessment of SUPRT; the twelve-month GPRA interview is no more")
        return self


EXAMPLE: Final[dict[str, Any]] = {
    "id": "leslie-gpra-intake",
    "client": "leslie-moreno",
    "grant": "TI-026543",
    "gpraClient": "HRS-000412",
    "type": "intake",
    "date": "2026-03-03",
    "by": "victoria-chen",
    "answers": [
        {"question": "DAUseAlcoholDays", "number": 12},
        {"question": "DAUseIllegDrugsDays", "number": 0},
        {"question": "LivingWhere", "choices": [{"code": "4"}]},
        {"question": "fHIVTest", "missing": "refused"},
    ],
}
