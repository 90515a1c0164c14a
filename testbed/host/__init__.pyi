from .links import CableEnd as CableEnd
from .links import join as join
from .listeners import listeners as listeners
from .private import PrivateHost as PrivateHost
from .protocol import Host as Host
