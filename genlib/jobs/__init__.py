"""Trainings in processes of their own, in a queue that outlives the program which looks at it."""

from genlib.jobs.queue import Queue

__all__ = ["Queue"]
