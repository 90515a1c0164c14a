module testbed/agent

go 1.19
