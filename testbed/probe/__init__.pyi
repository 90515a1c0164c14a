from .attempt import Ask as Ask
from .vantage import Vantage as Vantage
