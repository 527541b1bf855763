"""Reading and writing of images: formats, sizes, bit depth, orientation, metadata and their limits.

Images are NumPy arrays (H, W, 3), uint8, 0 to 255, in RGB order. Nothing here needs PyTorch or
MM*.
"""

from __future__ import annotations

from .animation import Animation, is_animation, read_animation
from .animation_writing import WRITERS, AnimationWriter
from .completeness import verify_complete
from .contact_sheet import contact_sheet
from .extras import lost_in
from .formats import FORMATS, SUFFIXES, WRITTEN_SUFFIXES, ImageFormat, check_format_holds
from .headers import MAX_PIXELS, ImageHeader, read_header
from .image_file import ImageFile
from .pixels import to_uint8
from .reading import read_image, read_image_file
from .suggestion import suggested_suffix
from .writing import encode_image_file, write_image, write_image_file

__all__ = [
    'FORMATS',
    'MAX_PIXELS',
    'SUFFIXES',
    'WRITERS',
    'WRITTEN_SUFFIXES',
    'Animation',
    'AnimationWriter',
    'ImageFile',
    'ImageFormat',
    'ImageHeader',
    'check_format_holds',
    'contact_sheet',
    'encode_image_file',
    'is_animation',
    'lost_in',
    'read_animation',
    'read_header',
    'read_image',
    'read_image_file',
    'suggested_suffix',
    'to_uint8',
    'verify_complete',
    'write_image',
    'write_image_file',
]
