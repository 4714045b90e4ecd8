"""Where a referral is in its loop: which status may follow which, by whom, and what it means. Pure."""
