"""Subscriptions: what partners asked to be told (number, notify, look), and what we ask of theirs (listen, hear)."""
