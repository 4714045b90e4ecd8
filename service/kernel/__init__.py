"""What everything may lean on: time, identity, failure and the catalogue of log events."""
