"""Reading and writing of images: formats, sizes, bit depth, orientation, metadata and their limits.

Images are NumPy arrays (H, W, 3), uint8, 0 to 255, in RGB order. Nothing here needs PyTorch or
MM*.
"""

from __future__ import annotations

from .completeness import verify_complete
from .contact_sheet import contact_sheet
from .extras import lost_in
from .formats import FORMATS, SUFFIXES, ImageFormat, check_format_holds
from .headers import MAX_PIXELS, ImageHeader, read_header
from .image_file import ImageFile
from .pixels import to_uint8
from .reading import read_image, read_image_file
from .writing import encode_image_file, write_image, write_image_file

__all__ = [
    'FORMATS',
    'MAX_PIXELS',
    'SUFFIXES',
    'ImageFile',
    'ImageFormat',
    'ImageHeader',
    'check_format_holds',
    'contact_sheet',
    'encode_image_file',
    'lost_in',
    'read_header',
    'read_image',
    'read_image_file',
    'to_uint8',
    'verify_complete',
    'write_image',
    'write_image_file',
]
