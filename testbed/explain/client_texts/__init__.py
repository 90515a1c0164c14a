"""What each client's error texts look like, and what they say: a module a client. Pure; time linear in the text."""
