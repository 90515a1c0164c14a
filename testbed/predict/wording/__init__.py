"""The sentences for endings and steps, and the rows of evidence as their tools print them. Pure."""

from testbed.predict.wording import endings, names, programs, unknown
from testbed.predict.wording.rows import route_row
from testbed.predict.wording.steps import row, text
from testbed.predict.wording.why import why

__all__ = ["endings", "names", "programs", "route_row", "row", "text", "unknown", "why"]
