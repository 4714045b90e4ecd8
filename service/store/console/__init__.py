"""Questions that only people ask: lists, counts and who was last heard of. Each is one statement."""
