"""Both walkthroughs, and the race for the stock, as clients of the proxy see them.

The tests are those that run against one server elsewhere; the fixtures of this folder
lead them through the proxy.
"""

from __future__ import annotations

from ..reliability.test_stock import TestStock
from ..test_walkthrough_a import TestSystemA
from ..test_walkthrough_b import TestSystemB

__all__ = ["TestStock", "TestSystemA", "TestSystemB"]
