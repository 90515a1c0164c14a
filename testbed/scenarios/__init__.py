"""The scenarios: what each lab is made of and what must be seen there. Values only."""
