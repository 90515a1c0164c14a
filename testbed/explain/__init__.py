"""Why a connection fails: prediction and observation together, as a sentence with evidence and cures."""
