module testbed/portainer

go 1.19
