"""Predicting how an attempt ends, from a picture of the namespaces. Pure: no I/O here at all."""

from testbed.predict.walk import Prediction, predict
from testbed.predict.world import Interface, Place, Stack, World

__all__ = ["Interface", "Place", "Prediction", "Stack", "World", "predict"]
