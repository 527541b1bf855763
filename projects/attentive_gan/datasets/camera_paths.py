"""Views of a camera that moves over a still scene, for rendered videos."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, cos, sin
from typing import Literal, NamedTuple, get_args

import cv2
import numpy as np

from attentive_gan.utils.types import ImageArray

Movement = Literal['pan', 'fast-pan', 'zoom', 'turn', 'shake', 'drive', 'cut', 'still']

#: How the camera can move.
MOVEMENTS: tuple[Movement, ...] = get_args(Movement)

#: Frames in which a path leads from its start to its end; then it leads back, and so on.
WAY = 23
#: Height of the horizon of a drive, as a share of the frame's; ground that moves by in one frame at its
#: lower edge, likewise; distances, in those of the lower edge, between which the ground fades into haze.
_HORIZON, _SPEED, _FADES = 0.45, 0.03, (4.0, 8.0)


class View(NamedTuple):
    """Part of a scene that the camera sees; lengths in heights of the frame."""

    left: float
    top: float
    angle: float = 0
    """Degrees."""
    zoom: float = 1


def scene_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return (height, width) of the scene that frames of a size (height, width) need."""
    height, width = size
    return 2 * height, width + ceil(height * 11 / 6)


def look(
    scene: Callable[[int], ImageArray], movement: Movement, number: int, size: tuple[int, int]
) -> ImageArray:
    """Return what the camera sees in a frame, RGB (H, W, 3), uint8.

    Args:
        scene: Returns a scene, RGB of `scene_size(size)`, uint8: 0, and 1 after a cut.
        movement: How the camera moves.
        number: Number of the frame, from 0.
        size: (height, width) of the frame in pixels.
    """
    way, back = divmod(number, WAY)
    part = (back if way % 2 == 0 else WAY - back) / WAY
    height, width = size
    which = int(movement == 'cut' and number // ((WAY + 1) // 2) % 2)
    image = scene(which)
    view = _view(movement, number, part)
    x, y = view.left * height, view.top * height
    matrix = cv2.getRotationMatrix2D((x + width / 2, y + height / 2), view.angle, view.zoom)
    matrix[:, 2] -= np.array([x, y])
    warped = cv2.warpAffine(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    seen = np.asarray(warped, np.uint8)
    return _over_ground(seen, image, number) if movement == 'drive' else seen


def _view(movement: Movement, number: int, part: float) -> View:
    sway = sin(1.7 * number), cos(2.3 * number), 0.5 * sin(number)
    return {
        'pan': View(0.25 + 0.4167 * part, 0.5),
        'fast-pan': View(0.0833 + 1.6667 * part, 0.4167),
        'zoom': View(0.75, 0.5, 0, 1 + 0.5 * part),
        'turn': View(0.75, 0.5, 12 * part),
        'shake': View(0.75 + sway[0] / 30, 0.5 + sway[1] / 40, sway[2]),
        'drive': View(0.75 + sway[0] / 240, 0.5 + sway[1] / 240, 0, 1 + 0.1 * part),
        'cut': View(0.25 + 0.8333 * part, 0.5),
        'still': View(0.75, 0.5),
    }[movement]


def _over_ground(seen: ImageArray, scene: ImageArray, number: int) -> ImageArray:
    """Replace what is below the horizon by a plane that comes towards the camera.

    The lower half of the scene is its texture, mirrored at the edges. The perspective is that of a plane:
    places at the distance z, 1 at the lower edge, are smaller by z in width and by z squared in depth.
    """
    height, width = seen.shape[:2]
    horizon = round(_HORIZON * height)
    rows = height - horizon
    below = (np.arange(2 * rows, dtype=np.float32) + 0.5) / 2  # twice as fine, against aliasing
    distance = np.minimum(rows / below, 4 * _FADES[1])[:, None]
    across = (np.arange(2 * width, dtype=np.float32) + 0.5)[None] / 2 - width / 2
    texture = scene[scene.shape[0] // 2 :]
    x = across * distance + texture.shape[1] / 2
    y = np.broadcast_to(-rows * distance - number * _SPEED * height, x.shape)
    fine = cv2.remap(
        texture, x, y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    ground = cv2.resize(fine, (width, rows), interpolation=cv2.INTER_AREA)
    near, far = _FADES
    haze = np.clip((distance[::2] - near) / (far - near), 0, 1)[..., None]
    mixed = ground * (1 - haze) + texture.mean((0, 1)) * haze
    return np.vstack([seen[:horizon], np.rint(mixed)]).astype(np.uint8)
