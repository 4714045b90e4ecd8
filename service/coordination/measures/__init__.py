"""How well case management goes: a table of measures, what is counted for each, and rates with small counts hidden."""
