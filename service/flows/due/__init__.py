"""What is due: gathered from what is filed, computed by coordination/timers.py, told as Tasks and events, reported."""
