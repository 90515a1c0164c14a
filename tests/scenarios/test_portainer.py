"""x"""
from testbed.scenarios.portainer.topology import *
def test_x(portainer_lab):
    with portainer_lab.forward(bind="127.0.0.1"):
        seen = portainer_lab.portainer.connect(URL)
    assert seen.text == 'Get "https://host.containers.internal:19001/ping": dial tcp 10.88.0.1:19001: connect: connection refused'
def test_y(private_host):
    assert private_host.engine.client.ping()
