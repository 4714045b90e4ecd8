"""What we remember: the only SQL, and the only commit (`unit`)."""
