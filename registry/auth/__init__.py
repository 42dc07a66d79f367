"""Who may do what: principals, scopes, tokens, access."""
