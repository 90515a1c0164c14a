"""SSH local forwards: what one is, and two ways to make one."""

from testbed.tunnel.forward import Forward, Server, Tunnel
from testbed.tunnel.keys import KeyPair
from testbed.tunnel.openssh import OpenSSHTunnel
from testbed.tunnel.ssh_paramiko import ParamikoTunnel

__all__ = ["Forward", "KeyPair", "OpenSSHTunnel", "ParamikoTunnel", "Server", "Tunnel"]
