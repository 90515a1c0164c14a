"""The table of clients, client by client: each text as its client prints it, and what it says."""
