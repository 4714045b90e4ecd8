"""Who leads, what is due, what is done twice, how it goes: the rules when several agencies serve one client. Pure."""
