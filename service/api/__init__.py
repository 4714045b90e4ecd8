"""Doors in: the only place that knows FastAPI."""
