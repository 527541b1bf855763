"""Remove raindrops from images and videos of any size.

Exit code: 0 all restored, 1 some failed, 2 wrong usage. See docs/restore.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import add_network_options, at_least, network_arguments
from .common import EXIT_INTERRUPTED, run_tool

if TYPE_CHECKING:
    from attentive_gan.inference import ImageRestorer
    from attentive_gan.restoration import BatchOptions, BatchPlan, Shard


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `restore`."""
    add = parser.add_argument
    add('inputs', nargs='+', metavar='INPUT',
        help='files, folders (with all folders in them), patterns such as "trip/**/*.jpg"; or one live '
        'input: camera:0, rtsp://..., http://...')  # fmt: skip
    add('-o', '--out', type=Path,
        help='output folder, or file for one input; default of files: NAME_dry beside them')  # fmt: skip
    network = parser.add_argument_group('network')
    add_network_options(network)
    add = network.add_argument
    add('--backend', choices=['auto', 'torch', 'onnxruntime'], default='auto',
        help='default auto: by the weights, ONNX Runtime for .onnx')  # fmt: skip
    add('--tile', type=at_least(1), metavar='PIXELS',
        help='largest width that is restored at once; default: what the budget allows')  # fmt: skip
    add('--halo', type=at_least(0), metavar='PIXELS',
        help='pixels around a tile; fewer than the receptive field: faster, not exact')  # fmt: skip
    add('--self-ensemble', action='store_true',
        help='mean over the eight flips and turns of each image: eight times the work')  # fmt: skip
    _add_output_options(parser)
    add = parser.add_argument_group('work').add_argument
    add('--shard', metavar='K/N',
        help='do the K-th of N parts; torchrun and Slurm set it themselves')  # fmt: skip
    add('--log', type=Path, metavar='FILE.jsonl', help='append a line of JSON for each input')
    add('--quiet', action='store_true', help='print errors only')


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('output')
    add = group.add_argument
    add('--format', choices=['keep', 'png', 'jpg', 'webp', 'tif', 'bmp'], default='keep',
        help="format of images (default keep: the input's)")  # fmt: skip
    add('--quality', type=int, choices=range(1, 101), default=95, metavar='1..100',
        help='of JPEG (default 95)')  # fmt: skip
    add('--suffix', default='', help='appended to the names of results (without -o: _dry)')
    existing = group.add_mutually_exclusive_group()
    add_existing = existing.add_argument
    add_existing('--skip-existing', dest='existing', action='store_const', const='skip',
                 default='error', help='keep existing results')  # fmt: skip
    add_existing('--overwrite', dest='existing', action='store_const', const='overwrite',
                 help='replace existing results')  # fmt: skip
    add('--attention', action='store_true',
        help='also write NAME_attention.png, the attention map over the image')  # fmt: skip
    add('--side-by-side', action='store_true', help='also write NAME_compare.png')
    add = parser.add_argument_group('video').add_argument
    add('--crf', type=int, choices=range(52), default=18, metavar='0..51',
        help='quality of the encoder, on the scale of H.264; less is better (default 18)')  # fmt: skip
    add('--codec', default='', metavar='NAME',
        help='h264, hevc, av1, vp9, prores, ffv1, or an encoder of your ffmpeg such as hevc_nvenc '
        '(default: H.264; by the input for 10 bits and transparency)')  # fmt: skip
    add('--encoder-options', default='', metavar='"-NAME VALUE ..."',
        help='options for the encoder, as ffmpeg takes them: --encoder-options="-preset slow"')  # fmt: skip
    add('--hold-attention', type=float, default=0.0, metavar='A',
        help='weight of earlier frames in the attention map, 0 to below 1 (default 0)')  # fmt: skip
    add('--temporal', choices=('on', 'fast', 'off'), default='on',
        help='fetch the scene behind drops from other frames, fast: earlier ones (default on)')  # fmt: skip
    add('--deinterlace', choices=['auto', 'off'], default='auto',
        help='make whole frames of interlaced video by bwdif (default auto)')  # fmt: skip
    add('--measure-flicker', action='store_true', help='measure flicker of input and result')


def run(args: argparse.Namespace) -> int:
    """Restore, and print a summary.

    Raises:
        UserError: An input names nothing, results collide or exist, or the network cannot be loaded.
    """
    from attentive_gan import inference, restoration
    from attentive_gan.errors import UserError

    from . import live
    from .restore_output import ConsoleProgress, print_summary

    if args.self_ensemble and args.hold_attention > 0:
        raise UserError('--self-ensemble and --hold-attention exclude each other; omit one')
    inference.keep_freed_memory()
    if live.live_input(args.inputs):
        return live.run_restore(args, lambda: _restorer(args, args.device, lambda text: None))
    shard = restoration.parse_shard(args.shard) if args.shard else restoration.shard_of_launcher()
    plan = restoration.plan_batch(args.inputs, args.out, _options(args, shard))
    progress = ConsoleProgress(args.quiet)
    restorer = _restorer(args, _device(args.device, shard.local), progress.note)
    if args.attention and not restorer.gives_attention:
        raise UserError(f'--attention: {restorer.name} has no attention map; omit this option')
    with progress:
        report = restoration.restore_batch(plan, restorer, progress)
    print_summary(report, shard, args.out or _beside(plan), args.quiet)
    return EXIT_INTERRUPTED if report.interrupted else 1 if report.of('failed') else 0


def _restorer(
    args: argparse.Namespace, device: str, notify: Callable[[str], None]
) -> ImageRestorer:
    from attentive_gan.inference import ImageRestorer

    return ImageRestorer(
        **network_arguments(args) | {'device': device},
        backend=args.backend, tile=args.tile, halo=args.halo, self_ensemble=args.self_ensemble,
        notify=notify,
    )  # fmt: skip


def _beside(plan: BatchPlan) -> str:
    """Say where the results of a command without `-o` are."""
    outputs = [*plan.outputs, *plan.skipped]
    return str(outputs[0].path) if len(outputs) == 1 else 'beside the inputs'


def _options(args: argparse.Namespace, shard: Shard) -> BatchOptions:
    """Return the options of the batch."""
    from attentive_gan.restoration import BatchOptions, OutputOptions, VideoOptions
    from attentive_gan.restoration.video.encoders import check_codec, containers

    check_codec(args.codec, args.encoder_options)
    return BatchOptions(
        OutputOptions(
            args.format, args.suffix, args.existing, args.attention, args.side_by_side,
            containers(args.codec),
        ),
        args.quality, int(args.max_megapixels * 1e6), shard, args.log,
        VideoOptions(
            args.crf, hold_attention=args.hold_attention, measure_flicker=args.measure_flicker,
            temporal=args.temporal, codec=args.codec, encoder_options=args.encoder_options,
            deinterlace=args.deinterlace == 'auto',
        ),
    )  # fmt: skip


def _device(name: str, local: int | None) -> str:
    """Return the device; under a launcher each process takes its own GPU."""
    if local is None or name not in ('auto', 'cuda'):
        return name
    import torch

    count = torch.cuda.device_count()
    return f'cuda:{local % count}' if count else name


def console() -> None:
    """Entry point of the command `attentive-gan-restore`."""
    run_tool(sys.modules[__name__])
