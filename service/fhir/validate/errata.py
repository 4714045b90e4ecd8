"""Invariants of R4 4.0.1 that are wrong as published, by their original expression, never by key.

The key may be reused by a guide with another expression, and profiles repeat the published text in their
snapshots, so the expression is what identifies the mistake. None: do not evaluate.
"""

_FIXED: dict[str, str | None] = {
    # que-12 counts from the wrong number
    "enableWhen.count() > 2 implies enableBehavior.exists()": "enableWhen.count() < 2 or"
    " enableBehavior.exists()",
    # app-4 names a status that does not exist
    "Appointment.cancelationReason.exists() implies (Appointment.status='no-show' or"
    " Appointment.status='cancelled')": "cancelationReason.exists() implies (status='noshow' or"
    " status='cancelled')",
    # tim-9 breaks when there are several `when`
    "offset.empty() or (when.exists() and ((when in ('C' | 'CM' | 'CD' | 'CV')).not()))": "offset.empty() or"
    " (when.exists() and when.all(($this in ('C' | 'CM' | 'CD' | 'CV')).not()))",
    # bdl-8 is evaluated on entries without fullUrl
    "fullUrl.contains('/_history/').not()": "fullUrl.empty() or fullUrl.contains('/_history/').not()",
    # ras-2 is evaluated on predictions without a decimal probability
    "probability is decimal implies (probability as decimal) <= 100": "probability.empty() or"
    " ((probability is decimal) implies ((probability as decimal) <= 100))",
    # matches() finds a part; these mean the whole name
    "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')": "name.matches('^[A-Z]([A-Za-z0-9_]){0,254}$')",
    "path.matches('[A-Za-z][A-Za-z0-9]*(\\\\.[a-z][A-Za-z0-9]*(\\\\[x])?)*')": "path.matches("
    "'^[A-Za-z][A-Za-z0-9]*(\\\\.[a-z][A-Za-z0-9]*(\\\\[x])?)*$')",
}


def corrected(expression: str) -> str | None:
    """The expression to evaluate for a published one; None when it must be skipped."""
    return _FIXED.get(expression, expression)
