"""Predicting how an attempt ends, from a picture of the namespaces. Pure: no I/O here at all."""

from testbed.predict.disposition import Disposition
from testbed.predict.predict import predict
from testbed.predict.prediction import Prediction, Tried
from testbed.predict.steps import Step, StepKind

__all__ = ["Disposition", "Prediction", "Step", "StepKind", "Tried", "predict"]
