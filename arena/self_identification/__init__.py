"""Finds where an assistant names itself, its relatives or its maker in its own words.

Knows no database, no battle and no voter: text and names in, one span out.
"""

from __future__ import annotations

from arena.self_identification.detector import VERSION, Detector, Leak, Scanner
from arena.self_identification.names import ModelNames

__all__ = ["VERSION", "Detector", "Leak", "ModelNames", "Scanner"]
