"""Patients that a person has said to be one: merged, taken apart again, and found together."""
