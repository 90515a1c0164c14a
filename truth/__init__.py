"""How often predictions are right: random worlds, each predicted and then tried on the real kernel."""
