"""Reading and writing of pictures: formats, sizes, bit depth, orientation and their limits.

Pictures are NumPy arrays (H, W, 3), uint8, 0 to 255, in RGB order. Nothing here needs PyTorch or
MM*.
"""

from __future__ import annotations

from .completeness import verify_complete
from .contact_sheet import contact_sheet
from .document_writing import FORMAT_OF, check_holds, encode_document, write_document
from .documents import PictureDocument, read_document
from .headers import MAX_PIXELS, SUFFIXES, PictureHeader, read_header
from .reading import read_picture
from .writing import write_picture

__all__ = [
    'FORMAT_OF',
    'MAX_PIXELS',
    'SUFFIXES',
    'PictureDocument',
    'PictureHeader',
    'check_holds',
    'contact_sheet',
    'encode_document',
    'read_document',
    'read_header',
    'read_picture',
    'verify_complete',
    'write_document',
    'write_picture',
]
