from .forward import Forward as Forward
from .forward import Server as Server
from .forward import Tunnel as Tunnel
from .keys import KeyPair as KeyPair
from .openssh import OpenSSHTunnel as OpenSSHTunnel
from .ssh_paramiko import ParamikoTunnel as ParamikoTunnel
