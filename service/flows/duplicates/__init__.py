"""The same need served twice: gathered from what is filed, judged, told to whom consent lets, settled by a person."""
