"""Who leads a client's case: said by a record, an operation, a partner's Task or resource; kept in one place."""
