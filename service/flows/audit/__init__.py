"""The audit trail: what is written of every request, how it is sealed, proved, read and accounted for."""
