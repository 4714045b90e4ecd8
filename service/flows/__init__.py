"""The stories: one file, one public function, one transaction. Gather, check, decide, remember, answer."""
