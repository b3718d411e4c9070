"""Who fights and votes in tests of the arena."""

from __future__ import annotations

import pytest

from tests.arena.voter import TestVoter
from tests.scripted_endpoint import ScriptedEndpoint


@pytest.fixture
def voter(two_models: ScriptedEndpoint) -> TestVoter:
    """One anonymous person, with two live models to ask."""
    return TestVoter()
