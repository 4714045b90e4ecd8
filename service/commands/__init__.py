"""What an operator types: one file a noun. Each command opens what it needs through wiring and prints a result."""
