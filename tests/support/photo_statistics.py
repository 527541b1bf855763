"""Statistics of natural images, to compare drawn scenes with photos.

`python tests/support/photo_statistics.py PHOTOS...` prints them for folders of photos beside those of
drawn scenes, as the table in docs/scenes.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

SIZE = (160, 240)


def statistics(image):
    """Return the statistics of an RGB image (H, W, 3), uint8, by their names."""
    pixels = image.astype(float)
    light = pixels @ (0.299, 0.587, 0.114)
    across = np.diff(light, axis=1)
    # An image of one colour has no slopes at all.
    moved = across.std() + 1e-9
    high = light[1:-1, 1:-1] - cv2.blur(light, (3, 3))[1:-1, 1:-1]
    red, green, blue = (pixels[..., channel].ravel() for channel in range(3))
    chroma = np.hypot(red - green, (red + green) / 2 - blue)
    half = len(light) // 2
    return {
        'slope of the power spectrum': spectral_slope(light),
        'kurtosis of the horizontal derivative': float((across**4).mean() / moved**4),
        'share of derivatives below 2': float((np.abs(across) < 2).mean()),
        'share of derivatives above 30': float((np.abs(across) > 30).mean()),
        'mean luminance': float(light.mean()),
        'spread of luminance': float(light.std()),
        'share of pixels above 245': float((light > 245).mean()),
        'share of pixels below 10': float((light < 10).mean()),
        'mean chroma': float(chroma.mean()),
        'correlation of red and blue': float(np.corrcoef(red, blue)[0, 1]),
        'correlation of red and green': float(np.corrcoef(red, green)[0, 1]),
        'high-pass deviation at 1 px': float(high.std()),
        'brighter top than bottom': float(light[:half].mean() > light[-half:].mean()),
    }


def spectral_slope(light):
    """Return the exponent of the radially averaged power of an image (H, W), about -2 in nature."""
    height, width = light.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    power = np.abs(np.fft.fft2((light - light.mean()) * window)) ** 2
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    edges = np.geomspace(0.02, 0.4, 13)
    rings = np.digitize(frequency, edges)
    means = [power[rings == ring].mean() + 1e-9 for ring in range(1, len(edges))]
    middles = np.sqrt(edges[1:] * edges[:-1])
    return float(np.polyfit(np.log(middles), np.log(means), 1)[0])


def read_photo(path, size=SIZE):
    """Return a photo, RGB (H, W, 3), cut to the middle and shrunk by areas to a size."""
    image = cv2.imread(str(path))[..., ::-1]
    height, width = size
    scale = min(image.shape[0] / height, image.shape[1] / width)
    tall, wide = round(height * scale), round(width * scale)
    top, left = (image.shape[0] - tall) // 2, (image.shape[1] - wide) // 2
    cut = np.ascontiguousarray(image[top : top + tall, left : left + wide])
    return cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)


def table(images):
    """Return the statistics of images as arrays by name."""
    rows = [statistics(image) for image in images]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def main():
    """Print the table."""
    from drawn_scenes.scenes import draw_scene

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('photos', nargs='+', type=Path, help='folders of photos')
    parser.add_argument('--scenes', type=int, default=200, help='number of drawn scenes')
    arguments = parser.parse_args()
    paths = sorted(
        path for folder in arguments.photos for path in folder.iterdir()
        if path.suffix in ('.jpg', '.png')
    )  # fmt: skip
    real = table(read_photo(path) for path in paths)
    day = table(draw_scene(seed, SIZE) for seed in range(arguments.scenes))
    night = table(draw_scene(seed, SIZE, 'night') for seed in range(arguments.scenes // 4))
    print(f'| {len(paths)} photos, {arguments.scenes} drawn scenes | photos: mean | 10-90 % '
          '| drawn, day: mean | 10-90 % | drawn, night: mean |')  # fmt: skip
    print('|---|---|---|---|---|---|')
    for name, values in real.items():
        low, high = np.percentile(values, (10, 90))
        least, most = np.percentile(day[name], (10, 90))
        print(
            f'| {name} | {values.mean():.3g} | {low:.3g} to {high:.3g} | {day[name].mean():.3g} '
            f'| {least:.3g} to {most:.3g} | {night[name].mean():.3g} |'
        )


if __name__ == '__main__':
    main()
