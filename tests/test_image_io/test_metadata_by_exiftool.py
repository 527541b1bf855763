"""What exiftool reads in a photo it reads in the result too, or `lost_in` names it; all formats."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from attentive_gan.image_io import lost_in, read_image_file, write_image_file
from PIL import Image, ImageCms

pytestmark = pytest.mark.skipif(not shutil.which('exiftool'), reason='exiftool is not installed')

#: Tags by the group under which `lost_in` names them.
TAGS = {
    'EXIF': {
        'IFD0:Make': 'A camera', 'IFD0:Model': 'Mödel 7', 'IFD0:Artist': 'Jörg', 'IFD0:Copyright': '(c) J.',
        'IFD0:Software': '1.2', 'IFD0:ModifyDate': '2024:01:02 03:04:05', 'IFD0:ImageDescription': 'rain',
        'ExifIFD:ExposureTime': 0.008, 'ExifIFD:FNumber': 2.8, 'ExifIFD:ISO': 400,
        'ExifIFD:DateTimeOriginal': '2024:01:02 03:04:05', 'ExifIFD:OffsetTime': '+01:00',
        'ExifIFD:SubSecTimeOriginal': '123', 'ExifIFD:UserComment': 'drops on glass',
        'ExifIFD:LensInfo': '24 70 2.8 4', 'ExifIFD:LensModel': 'a lens',
        'ExifIFD:ExposureCompensation': -0.5, 'ExifIFD:Flash': 16, 'ExifIFD:FocalLength': 35,
        'ExifIFD:SceneType': 1,
        'GPS:GPSLatitude': 48.1, 'GPS:GPSLatitudeRef': 'N', 'GPS:GPSLongitude': 11.5,
        'GPS:GPSLongitudeRef': 'E', 'GPS:GPSAltitude': 519, 'GPS:GPSDateStamp': '2024:01:02',
        'GPS:GPSProcessingMethod': 'GPS',
    },
    'XMP': {
        'XMP-dc:Title': 'Rain', 'XMP-xmp:Rating': 4, 'XMP-dc:Subject': 'wet',
        'XMP-photoshop:City': 'München',
    },
    'IPTC': {'IPTC:Keywords': 'glass', 'IPTC:City': 'Muenchen', 'IPTC:By-line': 'J.'},
}  # fmt: skip
#: What each source can hold, as exiftool writes it.
SOURCES = {
    'jpg': ('EXIF', 'XMP', 'IPTC'), 'tif': ('EXIF', 'XMP', 'IPTC'), 'png': ('EXIF', 'XMP'),
    'webp': ('EXIF', 'XMP'), 'deep.png': ('EXIF', 'XMP'), 'deep.tif': ('EXIF', 'XMP', 'IPTC'),
}  # fmt: skip
NAMES = {'jpg': 'JPEG', 'tif': 'TIFF', 'png': 'PNG', 'webp': 'WEBP', 'bmp': 'BMP'}
TARGETS = {kind: ['png', 'tif'] if 'deep' in kind else list(NAMES) for kind in SOURCES}


def exiftool(*words: str | Path) -> str:
    """Run exiftool and return what it prints."""
    done = subprocess.run(
        ['exiftool', *map(str, words)], capture_output=True, text=True, check=False
    )
    return done.stdout


@pytest.fixture(scope='module')
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return the tags of all sources and results by file name, and the names of what was lost."""
    folder = tmp_path_factory.mktemp('photos')
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
    script: list[str] = []
    for kind, groups in SOURCES.items():
        path = folder / f'source.{kind}'
        if 'deep' in kind:
            assert cv2.imwrite(str(path), pixels.astype(np.uint16) * 257)
        else:
            Image.fromarray(pixels).save(path, icc_profile=profile, dpi=(300, 300))
        script += ['-overwrite_original', '-n', '-m', '-charset', 'utf8']
        script += [f'-{tag}={value}' for group in groups for tag, value in TAGS[group].items()]
        script += [str(path), '-execute']
    (folder / 'script').write_text('\n'.join(script), 'utf-8')
    exiftool('-@', folder / 'script')
    lost = {}
    for kind, targets in TARGETS.items():
        file = read_image_file(folder / f'source.{kind}')
        for target in targets:
            name = f'{kind.replace(".", "_")}_to.{target}'
            lost[name] = lost_in(file, NAMES[target])
            write_image_file(folder / name, file)
    tags = json.loads(exiftool('-j', '-n', '-G1', *sorted(folder.glob('*.*'))))
    return {Path(entry['SourceFile']).name: entry for entry in tags}, lost


@pytest.mark.parametrize(
    ('kind', 'target'), [(kind, target) for kind, targets in TARGETS.items() for target in targets]
)
def test_every_tag_is_kept_or_named(seen, kind: str, target: str) -> None:
    tags, lost = seen
    name = f'{kind.replace(".", "_")}_to.{target}'
    before, after = tags[f'source.{kind}'], tags[name]
    for group in SOURCES[kind]:
        written = {tag: before[tag] for tag in TAGS[group] if tag in before}
        if len(written) < 0.8 * len(TAGS[group]):
            pytest.skip(f'this exiftool writes no {group} into {kind}')
        kept = {tag: after.get(tag) for tag in written}
        if group in lost[name]:
            assert set(kept.values()) == {None}
        else:
            missing = [
                tag for tag in written if kept[tag] is None and tag.split(':')[1] in lost[name]
            ]
            assert {k: v for k, v in kept.items() if k not in missing} == {
                k: v for k, v in written.items() if k not in missing
            }
    if target != 'webp' and 'deep' not in kind and 'resolution' not in lost[name]:
        units = {'jpg': 'JFIF:XResolution', 'tif': 'IFD0:XResolution'}
        if target in units and kind in units:
            assert after[units[target]] == pytest.approx(before[units[kind]], rel=0.01)
    if 'deep' not in kind:
        assert ('ICC-header:ProfileClass' in after) == ('profile' not in lost[name])
