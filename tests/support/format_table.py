"""The tables of image formats in docs/restore.md, from what reading and writing really give.

Each cell is found by writing a file by another library where one can, reading it and writing the result.

Usage: python tests/support/format_table.py [--write]
"""

from __future__ import annotations

import argparse
import re
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from attentive_gan.errors import UserError
from attentive_gan.image_io import (
    FORMATS,
    WRITERS,
    ImageFile,
    is_animation,
    lost_in,
    read_animation,
    read_image_file,
    suggested_suffix,
    write_image_file,
)
from attentive_gan.image_io.animation import Animation
from attentive_gan.image_io.extras import LONGEST_JPEG_XMP
from attentive_gan.image_io.image_file import Extras
from PIL import Image, ImageCms

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs' / 'restore.md'
BEGIN, END = '<!-- formats: tests/support/format_table.py -->', '<!-- end of formats -->'
#: Phone photos that no library here can write.
_GOLDEN = ROOT / 'tests' / 'golden' / 'heic'
_GOLDEN_NAMES = {'8 bits': 'turned', 'more bits': 'deep', 'opacity': 'alpha'}
_NAMES = {'WEBP': 'WebP'}
#: Largest mean difference from the pixels that were written, of 1, in formats with loss.
_LOSSY = {'JPEG': 0.02, 'AVIF': 0.03, 'HEIC': 0.01}

KINDS = ('8 bits', 'more bits', 'opacity', 'animation')
METADATA = ('profile', 'EXIF', 'XMP', 'IPTC', 'comment', 'resolution', 'colour chunks', 'texts')


def scene(top: int) -> np.ndarray:
    """Return the image of the golden files, RGB (48, 64, 3), 0 to `top`."""
    y, x = np.mgrid[:48, :64]
    blue = np.where((x < 32) ^ (y < 24), top // 4, top * 3 // 4)
    return np.dstack([x * top // 63, y * top // 47, blue]).astype(
        np.uint8 if top == 255 else np.uint16
    )


def write_source(path: Path, name: str, kind: str) -> None:
    """Write a file of a format and kind by another library.

    Raises:
        LookupError, OSError, ValueError, cv2.error: The library has no such kind.
    """
    if name == 'HEIC':
        shutil.copy(_GOLDEN / f'{_GOLDEN_NAMES[kind]}.heic', path)
    elif kind == 'more bits':
        if name not in ('PNG', 'TIFF', 'AVIF'):
            raise LookupError(name)
        depth = [cv2.IMWRITE_AVIF_DEPTH, 12, cv2.IMWRITE_AVIF_QUALITY, 95]
        deep = scene(65535)[..., ::-1] >> (4 if name == 'AVIF' else 0)
        if not cv2.imwrite(str(path), deep, depth if name == 'AVIF' else []):
            raise OSError(path)
    else:
        options = {'WEBP': {'lossless': True, 'exact': True}, 'AVIF': {'quality': 95}}.get(name, {})
        image = Image.fromarray(scene(255))
        if kind == 'opacity':
            image.putalpha(Image.fromarray(_opacity()))
        if kind == 'animation':
            options |= {'save_all': True, 'append_images': [image.rotate(180)], 'duration': 90}
        image.save(path, name, **options)


def _opacity() -> np.ndarray:
    return np.broadcast_to(np.where(np.arange(64) < 20, 0, 255).astype(np.uint8), (48, 64)).copy()


def measure_format(name: str, folder: Path) -> dict[str, str]:
    """Return the format in which results are written by kind; nothing for kinds that are not read."""
    found = {}
    for kind in KINDS:
        path = folder / f'{kind}{FORMATS[name].suffixes[0]}'
        try:
            write_source(path, name, kind)
            if (kind == 'animation') != is_animation(path):
                continue
            suffix = path.suffix
            if kind == 'animation':
                if not _same_animation(read_animation(path)):
                    continue
            else:
                file = read_image_file(path)
                if not _same_image(file, kind, name):
                    continue
                if not FORMATS[name].written:
                    suffix = suggested_suffix(path)
                write_image_file(folder / f'out{suffix}', file)
        except (LookupError, OSError, ValueError, UserError, cv2.error):
            continue
        found[kind] = next(n for n, kind_of in FORMATS.items() if suffix in kind_of.suffixes)
    return found


def _same_image(file: ImageFile, kind: str, name: str) -> bool:
    """Return whether a file has the pixels, depth and opacity that were written."""
    top = 65535 if kind == 'more bits' else 255
    expected = scene(top)
    if file.pixels.dtype != expected.dtype or (file.alpha is not None) != (kind == 'opacity'):
        return False
    visible = 1.0
    if file.alpha is not None:
        visible = (file.alpha > 128)[..., None]
        # The golden file is half transparent where others are wholly.
        if np.abs(file.alpha[:, 24:].astype(int) - 255).max() > 2 or file.alpha[:, :16].max() > 70:
            return False
    loss = np.abs(file.pixels.astype(float) - expected) * visible / top
    # A palette of 256 colours stands for many in a GIF.
    return bool(loss.mean() <= _LOSSY.get(name, 0.05 if name == 'GIF' else 0))


def _same_animation(animation: Animation) -> bool:
    frames = list(animation.frames())
    return len(frames) == 2 and animation.durations == (Fraction(9, 100),) * 2


def everything() -> ImageFile:
    """Return an image with all metadata."""
    exif = Image.Exif()
    exif[271] = 'a camera'
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
    chunks = ((b'gAMA', struct.pack('>I', 100_000)), (b'tEXt', b'Author\0somebody'))
    extras = Extras(b'<x:xmpmeta/>', b'\x1c\x02\x19\x00\x04rain', b'a comment', chunks)
    return ImageFile(
        scene(255), None, False, profile, exif.tobytes(), (300.0, 300.0), 'PNG', extras
    )


def measure_metadata(name: str, folder: Path) -> dict[str, str]:
    """Return for each kind of metadata whether a format keeps it: yes, no, or up to which size.

    Raises:
        AssertionError: `lost_in` says something else.
    """
    file = everything()
    before, after = _found(file), _found(_written(file, name, folder))
    cells = {key: 'yes' if after[key] == before[key] else 'no' for key in METADATA}
    lost = set(lost_in(file, name))
    if lost != {key for key, cell in cells.items() if cell == 'no'}:
        raise AssertionError(f'{name} loses {lost}, not {cells}')
    if cells['XMP'] == 'yes':
        long = replace(
            file, extras=replace(file.extras, xmp=b'<x' + b' ' * LONGEST_JPEG_XMP + b'/>')
        )
        if _found(_written(long, name, folder))['XMP'] != long.extras.xmp:
            cells['XMP'] = f'up to {LONGEST_JPEG_XMP // 1000} KB'
    return cells


def _written(file: ImageFile, name: str, folder: Path) -> ImageFile:
    """Write an image, or a short animation, and read it again."""
    path = folder / f'metadata{FORMATS[name].suffixes[0]}'
    if FORMATS[name].written:
        return read_image_file(write_image_file(path, file))
    with path.open('wb') as stream:
        writer = WRITERS[name](stream, file, 2, 0)
        for _ in range(2):
            writer.write((file.pixels.astype(np.uint8), None), Fraction(1, 10))
        writer.close()
    return read_animation(path).metadata


def _found(file: ImageFile) -> Mapping[str, object]:
    exif = Image.Exif()
    if file.exif:
        exif.load(file.exif)
    chunks = file.extras.png_chunks
    texts = dict(data.split(b'\0', 1) for kind, data in chunks if kind == b'tEXt')
    return {
        'profile': file.icc_profile, 'EXIF': exif.get(271), 'XMP': file.extras.xmp,
        'IPTC': file.extras.iptc, 'colour chunks': dict(chunks).get(b'gAMA'),
        'texts': texts.get(b'Author'), 'comment': file.extras.comment or texts.get(b'Comment'),
        'resolution': file.dpi and round(file.dpi[0]),
    }  # fmt: skip


def formats_table(folder: Path) -> str:
    """Return the table of what is read, in Markdown."""
    lines = [
        f'| format | files | {" | ".join(KINDS)} | result |',
        '| ' + ' | '.join(['---'] * (len(KINDS) + 3)) + ' |',
    ]
    for name, image_format in FORMATS.items():
        results = measure_format(name, folder)
        cells = ['yes' if kind in results else 'no' for kind in KINDS]
        row = [_shown(name), ', '.join(image_format.suffixes), *cells, _result(results)]
        lines.append(f'| {" | ".join(row)} |')
    return '\n'.join(lines)


def _result(results: Mapping[str, str]) -> str:
    """Return in which format results are written, and for which kinds if there are several."""
    written = dict.fromkeys(results.values())
    if len(written) == 1:
        return _shown(next(iter(written)))
    parts = [
        f'{_shown(name)} ({", ".join(kind for kind, other in results.items() if other == name)})'
        for name in written
    ]
    return ', '.join(parts)


def metadata_table(folder: Path) -> str:
    """Return the table of what the formats hold besides pixels, in Markdown."""
    lines = [
        f'| | {" | ".join(METADATA)} |', '| ' + ' | '.join(['---'] * (len(METADATA) + 1)) + ' |'
    ]  # fmt: skip
    for name, image_format in FORMATS.items():
        if image_format.written or name in WRITERS:
            cells = measure_metadata(name, folder)
            label = _shown(name) if image_format.written else f'{_shown(name)} (animation)'
            lines.append(f'| {label} | {" | ".join(cells[key] for key in METADATA)} |')
    return '\n'.join(lines)


def _shown(name: str) -> str:
    return _NAMES.get(name, name)


def tables() -> str:
    """Return both tables as they stand in the page."""
    with tempfile.TemporaryDirectory() as folder:
        return (
            f'{BEGIN}\n\n{formats_table(Path(folder))}\n\nWhat the formats hold besides pixels:\n\n'
            f'{metadata_table(Path(folder))}\n\n{END}'
        )


def in_page(page: str, found: str) -> str:
    """Return a page with other tables between its marks."""
    replacement: Callable[[re.Match[str]], str] = lambda _: found  # noqa: E731
    return re.sub(f'{re.escape(BEGIN)}.*?{re.escape(END)}', replacement, page, flags=re.DOTALL)


def main() -> int:
    """Compare the page with what was found, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--write', action='store_true', help='write docs/restore.md')
    args = parser.parse_args()
    page = PAGE.read_text('utf-8')
    wanted = in_page(page, tables())
    if args.write:
        PAGE.write_text(wanted, 'utf-8')
    elif wanted != page:
        print('docs/restore.md differs; run: python tests/support/format_table.py --write')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
