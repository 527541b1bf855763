"""Base class of the transforms."""

from __future__ import annotations

from mmcv.transforms import BaseTransform


class Transform(BaseTransform):
    """MMCV's `BaseTransform` with a `repr` of its options.

    A transform here has one attribute for each option.
    """

    def __repr__(self) -> str:
        options = ', '.join(f'{name}={value!r}' for name, value in vars(self).items())
        return f'{type(self).__name__}({options})'
