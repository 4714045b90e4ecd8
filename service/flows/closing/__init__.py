"""The end of a case: who is told and who is not, what was asked of others, who may be asked how it goes."""
