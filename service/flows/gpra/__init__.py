"""Shared outcome data: interviews checked as they are saved, who owes which, files for the funder, how clients fare."""
