"""A network that changes nothing, and files to try it on."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attentive_gan.checkpoints.description import WeightsDescription
from attentive_gan.checkpoints.publishing import save_weights
from attentive_gan.inference import ImageRestorer
from attentive_gan.models.networks.unet import RestorationUNet
from PIL import Image

#: A small U-Net; untrained, it leaves images as they are.
IDENTITY = dict(type='RestorationUNet', channels=[8], blocks=1, shuffle=1)


@pytest.fixture(scope='session')
def identity() -> ImageRestorer:
    """A restorer that changes nothing."""
    return ImageRestorer(network=RestorationUNet(channels=[8], blocks=1, shuffle=1))


@pytest.fixture(scope='session')
def identity_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its weights in a file."""
    path = tmp_path_factory.mktemp('weights') / 'identity.safetensors'
    state = RestorationUNet(channels=[8], blocks=1, shuffle=1).state_dict()
    description = WeightsDescription('identity', 'BaseEditModel', IDENTITY, 'rgb', '', 'nothing')
    save_weights(state, path, description)
    return path


@pytest.fixture
def save() -> Callable[..., Path]:
    """Return a function that writes a random image."""
    random = np.random.default_rng(0)

    def write(path: Path, *shape: int, **options: object) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, shape or (9, 12, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(path, **options)
        return path

    return write


@pytest.fixture
def mixed_folder(tmp_path: Path, save: Callable[..., Path]) -> Path:
    """Return a folder of 200 files, twenty of which cannot be restored."""
    root = tmp_path / 'in'
    kinds = [('png', (3,), {}), ('jpg', (3,), {}), ('png', (), {}), ('bmp', (3,), {}),
             ('webp', (4,), {'lossless': True}), ('tif', (3,), {}), ('gif', (), {})]  # fmt: skip
    for number in range(177):
        ending, channels, options = kinds[number % len(kinds)]
        folder = root / ('day' if number % 3 else 'night/2')
        size = (8 + number % 7, 10 + number % 5)
        if ending == 'gif' and number % 2:  # an animation
            options = {'save_all': True, 'append_images': [Image.new('L', size[::-1], number)]}
        save(folder / f'{number:03d}.{ending}', *size, *channels, **options)
    save(root / 'one_pixel.png', 1, 1, 3)
    save(root / 'wide.png', 4, 30_000, 3)
    save(root / 'two\nlines.png', 9, 12, 3)
    for name, content in bad_files((root / 'day' / '001.jpg').read_bytes()).items():
        (root / name).write_bytes(content)
    for number, path in enumerate(sorted(root.rglob('[0-9]*.[gwbt]*'))[:4]):
        content = path.read_bytes()
        (root / f'bad_half_{number}{path.suffix}').write_bytes(content[: len(content) // 2])
    Image.new('F', (8, 8)).save(root / 'bad_float.tif')
    pages = [Image.new('L', (8, 8)) for _ in range(2)]
    pages[0].save(root / 'bad_pages.tif', save_all=True, append_images=pages[1:])
    (root / 'bad_dangling.png').symlink_to(root / 'nowhere')
    return root


def bad_files(jpeg: bytes) -> dict[str, bytes]:
    """Return what cannot be restored, by name."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
        )

    def header(width: int, height: int) -> bytes:
        return chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))

    signature = b'\x89PNG\r\n\x1a\n'
    whole = signature + header(20, 20) + chunk(b'IDAT', zlib.compress(bytes(61 * 20)))
    bomb = chunk(b'IDAT', zlib.compress(bytes(1000))) + chunk(b'IEND', b'')
    return {
        'bad_truncated.png': whole[: len(whole) - 9],
        'bad_half.jpg': jpeg[: len(jpeg) // 2],
        'bad_empty.png': b'',
        'bad_text.png': b'not an image',
        'bad_bomb.png': signature + header(60_000, 60_000) + bomb,
        'bad_wide.png': signature + header(30_000, 30_000) + bomb,
        'bad_animation.png': b'GIF89a' + bytes(50),
        'bad_zeros.tif': bytes(100),
        'bad_photo.heic': struct.pack('>I', 24) + b'ftypheic' + bytes(500),
        'bad_photo.avif': struct.pack('>I', 24) + b'ftypavif' + bytes(500),
        'bad_document.jpg': b'%PDF-1.4' + bytes(100),
        'bad_clip.mp4': struct.pack('>I', 24) + b'ftypmp42' + bytes(500),
        'bad\nname.jpg': b'\xff\xd8\xff',
    }
