"""The clock: what happens because time passes, not because somebody calls."""
