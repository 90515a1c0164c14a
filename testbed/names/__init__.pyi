from .stub import NameFailure as NameFailure
from .stub import Naming as Naming
