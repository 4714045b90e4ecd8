"""Measures of case management: gathered, counted, answered at $evaluate-measure, kept as MeasureReports."""
