"""A local stand-in of the API with sample data, to try pinsync out and to test with."""

from __future__ import annotations

from pinsync.sandbox.choices import Choices, parse_choices
from pinsync.sandbox.faults import Fault, parse_fault
from pinsync.sandbox.messages import Answer, Request
from pinsync.sandbox.server import TRACKER_ID, Sandbox, StandIn
from pinsync.sandbox.spelling import respell

__all__ = [
    "TRACKER_ID",
    "Answer",
    "Choices",
    "Fault",
    "Request",
    "Sandbox",
    "StandIn",
    "parse_choices",
    "parse_fault",
    "respell",
]
