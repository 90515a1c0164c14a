from .lab import PortainerLab as PortainerLab
from .run import run as run
