"""The audit trail: what is written of every request, how it is sealed, proved, read and accounted for."""

from service.flows.access.roles import AUDITOR
from service.flows.caller import Caller


def may_audit(caller: Caller) -> bool:
    """Auditors look at who did what; so does the custodian, whose data it is. For others there is no trail."""
    return caller.custodian or AUDITOR in caller.roles
