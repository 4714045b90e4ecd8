"""`casebridge directory`: lists of community programmes come in, go out, and grow old."""
