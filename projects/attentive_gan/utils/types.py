"""Type aliases shared by the whole package."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: Image (H, W, 3), uint8, 0 to 255; RGB unless stated otherwise. Grey images and masks are (H, W).
ImageArray: TypeAlias = NDArray[np.uint8]

#: Image or channel of 8 or 16 bits: like `ImageArray`, but uint8 or uint16 over the full range of the type.
PixelArray: TypeAlias = NDArray[np.unsignedinteger[Any]]

#: Attention map (H, W), float32, about 0 to 1 but unbounded.
MapArray: TypeAlias = NDArray[np.float32]

#: Image (H, W, 3), uint8 or uint16, or map (H, W, 1), float32: an input or output of a network.
RasterArray: TypeAlias = NDArray[Any]

#: Order of the colour channels.
ChannelOrder: TypeAlias = Literal['rgb', 'bgr']
