"""The story of a search: understand, ask, let consent decide, add what was asked along, answer."""

from service.flows.search.matching import matches
from service.flows.search.question import Question
from service.flows.search.story import search

__all__ = ["Question", "matches", "search"]
