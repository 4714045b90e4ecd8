"""Who may ask for what: scopes, roles and client assertions. Pure: no clock, no database, no network."""
