"""Moto is asked one thing at a time.

Its server answers in threads, over dictionaries without locks and with services that import one another
when they are first needed; an `up` sends many requests at once and would find a race in that some day.
They share one interpreter, so nothing is lost by it.
"""

from __future__ import annotations

import threading

IN_ORDER = threading.RLock()
"""Held by whoever reads or changes moto's state; never while a model predicts or is loaded."""
