"""Predicting how an attempt ends, from a picture of the namespaces. Pure: no I/O here at all."""

from testbed.predict.prediction import End, Prediction, Step, StepKind
from testbed.predict.walk import predict

__all__ = ["End", "Prediction", "Step", "StepKind", "predict"]
