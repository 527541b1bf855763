"""Score how well wet glass is told from dry: rendered drops of each kind, photos, clips."""

from __future__ import annotations

import argparse
from dataclasses import asdict, fields
from pathlib import Path

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli.common import echo, run


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--photos', type=Path, nargs='*', default=[], metavar='FOLDER',
        help='clean photos: every second one is judged as it is, and gets rendered drops')  # fmt: skip
    add('--dry', type=Path, nargs='*', default=[], metavar='FOLDER',
        help='further photos without drops: false alarms')  # fmt: skip
    add('--wet', type=Path, nargs='*', default=[], metavar='FOLDER', help='photos with drops')
    add('--images', type=int, default=30, help='images of each kind of drops (default 30)')
    add('--clips', action='store_true', help='also score clips of a moving camera')
    add('--weights', help='weights; default: those that ship')
    add('--json', type=Path, metavar='OUT', help='file for all figures')
    args = parser.parse_args()
    if args.images < 1:
        parser.error('--images must be at least 1')
    return args


def main() -> None:
    """Score, print the table and write the figures."""
    args = parse_args()
    from attentive_gan.utils.atomic_io import write_text
    from attentive_gan.utils.report_files import to_json
    from benchmarks import detection

    detector = detection.make_detector(args.weights)
    photos = [path for folder in args.photos for path in detection.image_files(folder)[1::2]]
    rows = []

    def add(row: detection.DetectionScores) -> None:
        name, count, *values = asdict(row).values()
        rows.append(asdict(row))
        echo(f'{name:36}{count:6}', *(f'{value:13.3f}' for value in values if value is not None))

    columns = (f'{field.name:>13}' for field in fields(detection.DetectionScores)[2:])
    echo(f'{"images":36}{"count":>6}', *columns)
    for row in detection.score_rendered(detector, photos, args.images):
        add(row)
    if photos:
        row, alarming = detection.score_photos(detector, 'dry: every second photo', photos)
        add(row)
        add(detection.score_pans(detector, alarming))
    scenes = detection.drawn_scenes(args.images)
    add(detection.score_photos(detector, 'dry: drawn scenes', scenes)[0])
    for name, folders in (('dry', args.dry), ('wet', args.wet)):
        for folder in folders:
            files = detection.image_files(folder)
            title = f'{name}: {folder.parent.name}/{folder.name}'
            add(detection.score_photos(detector, title, files)[0])
    for row in detection.score_clips(detector) if args.clips else ():
        add(row)
    if args.json:
        write_text(args.json, to_json({'rows': rows}))


if __name__ == '__main__':
    run(main)
