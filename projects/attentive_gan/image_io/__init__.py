"""Reading and writing of images: formats, sizes, bit depth, orientation and their limits.

Images are NumPy arrays (H, W, 3), uint8, 0 to 255, in RGB order. Nothing here needs PyTorch or
MM*.
"""

from __future__ import annotations

from .completeness import verify_complete
from .contact_sheet import contact_sheet
from .headers import MAX_PIXELS, SUFFIXES, ImageHeader, read_header
from .metadata import ImageDocument, read_document
from .metadata_writing import FORMAT_OF, check_holds, encode_document, write_document
from .reading import read_image
from .writing import write_image

__all__ = [
    'FORMAT_OF',
    'MAX_PIXELS',
    'SUFFIXES',
    'ImageDocument',
    'ImageHeader',
    'check_holds',
    'contact_sheet',
    'encode_document',
    'read_document',
    'read_header',
    'read_image',
    'verify_complete',
    'write_document',
    'write_image',
]
