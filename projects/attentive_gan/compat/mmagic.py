"""Classes of MMagic that this project uses, imported after the fixes were applied."""

from __future__ import annotations

from .preparation import prepare

prepare()

from mmagic.evaluation.metrics.base_sample_wise_metric import BaseSampleWiseMetric  # noqa: E402
from mmagic.models.base_models import BaseEditModel  # noqa: E402
from mmagic.models.data_preprocessors import DataPreprocessor  # noqa: E402
from mmagic.structures import DataSample  # noqa: E402

__all__ = ['BaseEditModel', 'BaseSampleWiseMetric', 'DataPreprocessor', 'DataSample']
