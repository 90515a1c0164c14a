"""Reading evidence: a file for each kind of fact. Nothing is changed on the machine and nothing runs in a container."""
