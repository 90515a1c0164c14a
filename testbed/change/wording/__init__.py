"""Words and commands for changes: what a person does to make one, with the tools that are in use there. Pure."""
