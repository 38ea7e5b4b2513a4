from __future__ import annotations

import pytest

from tests.unit.review.world import Reviewed


@pytest.fixture
def world() -> Reviewed:
    return Reviewed()
