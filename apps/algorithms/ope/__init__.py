"""What another policy would have earned, judged from the log of the one that served.

Four estimators of the mean reward of a film shown, were the owners of slots drawn by a *target* policy:

- ``ips`` weighs each film of the log by how much likelier the target is to give its slot to its arm
  (Horvitz and Thompson, JASA 1952): right on average, and wide.
- ``snips`` divides by the sum of the weights (Swaminathan and Joachims, NIPS 2015): a little off in small
  logs, and mostly narrower.
- ``dm`` asks a model of the rewards, the direct method: narrow, and as wrong as the model.
- ``dr`` asks the model, and corrects it by the weighted errors that it makes in the log (Dudik, Langford and
  Li, ICML 2011): right on average whatever the model, and narrow where the model is good.

All take it that a film's reward goes by context, arm and slot, not by what fills the other slots.
"""

from apps.algorithms.ope.estimators import dm, dr, ips, snips
from apps.algorithms.ope.intervals import UnitSums, rate_interval
from apps.algorithms.ope.rows import MIN_ESS, MIN_UNITS, Estimate, Rows

__all__ = [
    "MIN_ESS",
    "MIN_UNITS",
    "Estimate",
    "Rows",
    "UnitSums",
    "dm",
    "dr",
    "ips",
    "rate_interval",
    "snips",
]
