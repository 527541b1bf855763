"""Tell how wet the glass in front of the camera is, in images and videos of any size.

Exit code: 0 wet glass was found, 1 all is dry, 2 an input failed or the usage is wrong. See docs/detect.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import add_network_options, network_arguments
from .common import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from attentive_gan.restoration.batch import Report

#: Exit codes; errors must not look like dry glass.
WET, DRY, ERROR_CODE = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `detect`."""
    add = parser.add_argument
    add('inputs', nargs='+', metavar='INPUT',
        help='files, folders (with all folders in them), patterns such as "trip/**/*.jpg"; or one live '
        'input: camera:0, rtsp://..., http://...')  # fmt: skip
    add('-o', '--out', type=Path,
        help='folder for masks (NAME_mask.png), or .png file for one input; default: no masks')  # fmt: skip
    add('--suffix', default='_mask', help='appended to the names of masks (default _mask)')
    existing = parser.add_mutually_exclusive_group()
    add_existing = existing.add_argument
    add_existing('--skip-existing', dest='existing', action='store_const', const='skip',
                 default='error', help='keep existing masks, and take the verdict from them')  # fmt: skip
    add_existing('--overwrite', dest='existing', action='store_const', const='overwrite',
                 help='replace existing masks')  # fmt: skip
    add('--log', type=Path, metavar='FILE.jsonl',
        help='append a line of JSON for each input and each frame')  # fmt: skip
    add('--csv', type=Path, metavar='FILE.csv', help='append a row for each image and each frame')
    add('--quiet', action='store_true', help='print errors only')
    add = parser.add_argument_group('verdict').add_argument
    add('--wet-above', type=float, default=0.04, metavar='SHARE',
        help='share of the image that must change for wet glass (default 0.04)')  # fmt: skip
    add('--dry-below', type=float, metavar='SHARE',
        help='share below which it is dry again in a video (default 0.6 of --wet-above)')  # fmt: skip
    add('--average', type=float, default=1.0, metavar='SECONDS',
        help='time over which frames of a video are averaged; 0: each alone (default 1)')  # fmt: skip
    add_network_options(parser.add_argument_group('network'))


def run(args: argparse.Namespace) -> int:
    """Judge all inputs, print their verdicts and return the exit code.

    Raises:
        UserError: An input names nothing, masks collide or exist, or the network cannot be loaded.
    """
    from attentive_gan import inference
    from attentive_gan.restoration.detection import DetectionSettings, RaindropDetector
    from attentive_gan.restoration.detection.files import (
        DetectionOptions,
        detect_files,
        plan_detection,
    )

    from . import live
    from .detect_output import VerdictProgress, print_summary

    inference.keep_freed_memory()
    settings = DetectionSettings(args.wet_above, args.dry_below, args.average)
    options = DetectionOptions(
        args.existing, args.suffix, int(args.max_megapixels * 1e6), args.log, args.csv
    )
    progress = VerdictProgress(args.quiet)

    def detector() -> RaindropDetector:
        restorer = inference.ImageRestorer(**network_arguments(args), notify=progress.note)
        return RaindropDetector(restorer, settings)

    if live.live_input(args.inputs):
        return WET if live.run_detect(args, detector) else DRY
    plan = plan_detection(args.inputs, args.out, options)
    made = detector()
    with progress:
        report = detect_files(plan, made, progress)
    print_summary(report, args.quiet)
    return _exit_code(report)


def _exit_code(report: Report) -> int:
    if report.interrupted:
        return EXIT_INTERRUPTED
    if report.of('failed'):
        return ERROR_CODE
    return WET if any(outcome.details['wet'] for outcome in report.outcomes) else DRY
