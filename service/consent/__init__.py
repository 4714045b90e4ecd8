"""May this leave? Labels, decisions, redaction and the only road out (`release`). Pure and explainable."""
