"""The agent API's sessions: what runs where, opening, renewing tickets, ending."""
