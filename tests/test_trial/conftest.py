"""A trial in temporary folders, on a CPU."""

from __future__ import annotations

import pytest
from support.runs import REPOSITORY
from trial import TrialPlan


@pytest.fixture
def make(tmp_path):
    """Return a function that plans a trial, with changes."""

    def plan(**changes) -> TrialPlan:
        fixed = dict(root=REPOSITORY, out=tmp_path / 'out', seconds=60, device='cpu')
        return TrialPlan(**(fixed | dict(work_dir=tmp_path / 'work') | changes))

    return plan
