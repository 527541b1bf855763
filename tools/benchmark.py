"""Measure a network: work, time, memory, share of the matrix rate; or restoring, rendering, a GPU."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli.common import run

BASELINE = Path(__file__).resolve().parent.parent / 'tests' / 'support' / 'published_graph.py'
SIZES = ('224x224', '720x480', '1280x720', '1920x1080')
MODEL = Path(__file__).resolve().parent.parent / 'configs' / '_base_' / 'models' / 'attgan.py'
DTYPES = {'fp32': 'float32', 'tf32': 'float32', 'bf16': 'bfloat16', 'fp16': 'float16'}


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--network', choices=('attentive', 'autoencoder'), default='attentive',
        help='the generator, or its ablation without attention (default attentive)')  # fmt: skip
    add('--num-steps', type=int, default=4, help='recurrent steps (default 4)')
    add('--baseline', action='store_true',
        help='time restoring, in turn with the plain published graph (from a checkout)')  # fmt: skip
    add('--sizes', nargs='+', default=SIZES, metavar='WxH', help=f'default {" ".join(SIZES)}')
    add('--batch', type=int, default=1, help='images per pass (default 1)')
    add('--device', default='cpu', help='cpu, cuda or cuda:N (default cpu)')
    add(
        '--dtype',
        choices=DTYPES,
        default='fp32',
        help='bf16, fp16: by autocast; tf32: on CUDA (default fp32)',
    )
    add('--channels-last', action='store_true', help='channels-last weights (pays on CUDA)')
    add('--compile', action='store_true', help='compile the network with torch.compile')
    add('--train-step', action='store_true', help='time forward and backward, with side outputs')
    add('--threads', type=int, help="CPU threads (default torch's choice)")
    add('--repeat', type=int, default=5, help='timed runs of each (default 5)')
    add('--restorer', action='store_true',
        help="time restoring from file to file and in parts, by the network's --weights")  # fmt: skip
    add(
        '--weights',
        help='weights for --restorer; default those that ship, - for --network untrained',
    )
    add('--config', help='config of the weights, where they do not describe themselves')
    add('--keep-memory', action=argparse.BooleanOptionalAction, default=True,
        help='for --restorer: let the C library keep freed memory, as tools/restore.py does')  # fmt: skip
    add('--renderer', action='store_true',
        help='time the rendering of raindrops on one core instead of a network')  # fmt: skip
    add('--card', action='store_true',
        help='table of a GPU: ceilings, inference, training steps; on a CPU a dry run, narrow')  # fmt: skip
    add('--seconds', type=float, default=120, help='time for --card (default 120)')
    add('--video', action='store_true',
        help='scores of restoring videos frame by frame and temporally, on rendered clips')  # fmt: skip
    add('--sheet', type=Path, metavar='OUT', help='image file for a frame of each clip of --video')
    add('--images', type=int, default=100, help='images of each size (default 100)')
    add('--json', type=Path, metavar='OUT', help='file for all figures')
    args = parser.parse_args()
    args.sizes = [_size(parser, text) for text in args.sizes]
    if args.seconds <= 0:
        parser.error('--seconds must be more than 0')
    if args.dtype == 'tf32' and not args.device.startswith('cuda'):
        parser.error('--dtype tf32 is for --device cuda')
    for name in ('num_steps', 'batch', 'repeat', 'threads', 'images'):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            parser.error(f'--{name.replace("_", "-")} must be at least 1')
    return args


def _size(parser: argparse.ArgumentParser, text: str) -> tuple[int, int]:
    width, _, height = text.partition('x')
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        parser.error(f'{text}: a size is WIDTHxHEIGHT in pixels, such as 720x480')
    return int(width), int(height)


def build(args: argparse.Namespace) -> dict[str, Any]:
    """Build the networks to time, by name."""
    import torch
    from attentive_gan.models.networks.attentive_generator import AttentiveGenerator

    torch.manual_seed(0)
    network = AttentiveGenerator(args.num_steps, attention=args.network == 'attentive')
    if args.channels_last:
        network = network.to(memory_format=torch.channels_last)
    if args.train_step:
        network.forward = _with_side_outputs(network.forward)  # type: ignore[method-assign]
    networks = {args.network: network}
    if args.baseline:
        networks['baseline'] = _baseline(args.num_steps)
    return {name: network.to(args.device) for name, network in networks.items()}


def _with_side_outputs(forward: Any) -> Any:
    return lambda image: forward(image, side_outputs=True)


def _baseline(num_steps: int) -> Any:
    from attentive_gan.errors import UserError

    if not BASELINE.is_file():
        raise UserError(f'--baseline needs {BASELINE}, which only a checkout has')
    sys.path.insert(0, str(BASELINE.parent))
    import published_graph

    return published_graph.PublishedGenerator(num_steps)


def show(row: Any, table: Any) -> None:
    """Add a row of figures to the table."""
    peak = '-' if row.peak_gib is None else f'{row.peak_gib:.2f}'
    table.add_row(
        row.network, f'{row.width}x{row.height}', f'{row.gmacs:.1f}',
        f'{row.milliseconds:.0f}', f'{row.images_per_second:.3g}', peak,
        f'{row.share_of_matrix_rate:.0%}', f'{row.speed_up:.2f}',
    )  # fmt: skip


def measure_renderer(args: argparse.Namespace) -> None:
    """Time the renderer, print the table and write the figures."""
    from benchmarks.rendering import measure_rendering
    from rich.console import Console
    from rich.table import Table

    table = Table(title='rendering raindrops, one core')
    for name in ('size', 'regime', 'images', 'ms', 'images/s'):
        table.add_column(name, justify='left' if name == 'regime' else 'right')
    console, rows = Console(), []
    with console.status('measuring'):
        for row in measure_rendering(args.sizes, args.images):
            rows.append(row)
            table.add_row(
                f'{row.width}x{row.height}', row.regime, str(row.images),
                f'{row.milliseconds:.1f}', f'{row.images_per_second:.1f}',
            )  # fmt: skip
    console.print(table)
    write_figures(args.json, {'rows': [asdict(row) for row in rows]})


def measure_restorer(args: argparse.Namespace) -> None:
    """Time restoring, print the tables and write the figures."""
    import torch
    from attentive_gan.inference import ImageRestorer, keep_freed_memory
    from attentive_gan.leaderboard.network_timing import Setting, describe_machine
    from benchmarks.restoration import measure_files, measure_parts
    from rich.console import Console

    if args.keep_memory:
        keep_freed_memory()
    torch.set_num_threads(args.threads or torch.get_num_threads())
    precision = DTYPES[args.dtype]
    if args.weights == '-':
        network = build(args)[args.network]
        restorer = ImageRestorer(network=network, device=args.device, precision=precision)
    else:
        restorer = ImageRestorer(args.config, args.weights, device=args.device, precision=precision)
    console, figures = Console(), {}
    for width, height in args.sizes:
        size = f'{width}x{height}'
        with console.status(f'measuring {size}'):
            files = measure_files(restorer, (width, height), args.repeat)
            parts = measure_parts(restorer, (width, height), args.repeat)
        figures[size] = {'files': files, 'parts': parts}
        console.print(cost_table(f'{restorer.name}, {size}: time of an image', files))
        console.print(cost_table(f'{restorer.name}, {size}: in parts', parts))
    setting = Setting(restorer.device, restorer.dtype, tf32=args.dtype == 'tf32')
    machine = describe_machine(setting)
    show_machine(console, machine)
    rows = {
        size: {k: [asdict(row) for row in v] for k, v in tables.items()}
        for size, tables in figures.items()
    }
    write_figures(args.json, {'machine': machine, 'network': restorer.name, 'rows': rows})


def measure_video(args: argparse.Namespace) -> None:
    """Score restoring on rendered clips, print the tables, write figures and sheet."""
    import torch
    from attentive_gan.image_io import contact_sheet, write_image
    from attentive_gan.inference import ImageRestorer
    from benchmarks.video import measure_clips
    from rich.console import Console
    from rich.table import Table

    torch.set_num_threads(args.threads or torch.get_num_threads())
    weights = None if args.weights == '-' else args.weights
    restorer = ImageRestorer(args.config, weights, device=args.device)
    tables = [
        Table(title=f'{restorer.name}: {name}')
        for name in ('PSNR / SSIM', 'dB behind drops', 'flicker')
    ]
    for table, truth in zip(tables, ((), (), ('truth',)), strict=True):
        for name in ('camera', 'drops', 'input', 'frames', 'temporal', 'fast', *truth):
            table.add_column(name)
    console, rows, sheet = Console(), [], []
    with console.status('measuring'):
        for scores, image in measure_clips(restorer):
            rows.append(asdict(scores))
            width = image.shape[1] // 4
            images = [image[:, k * width : (k + 1) * width] for k in range(4)]
            sheet.append((f'{scores.movement}, {scores.regime}', images))
            head = (scores.movement, scores.regime)
            both = (f'{scores.psnr[way]:.2f} / {scores.ssim[way]:.3f}' for way in scores.psnr)
            tables[0].add_row(*head, *both)
            tables[1].add_row(*head, *(f'{value:.2f}' for value in scores.behind.values()))
            tables[2].add_row(*head, *(f'{value:.2f}' for value in scores.flicker.values()))
    for table in tables:
        console.print(table)
    write_figures(args.json, {'network': restorer.name, 'rows': rows})
    if args.sheet:
        write_image(
            args.sheet,
            contact_sheet(('rainy', 'frame by frame', 'temporal', 'true'), sheet, height=120),
        )


def cost_table(title: str, costs: list[Any]) -> Any:
    """Return a table of ways to restore."""
    from rich.table import Table

    table = Table(title=title)
    in_parts = costs[0].peak_mib is not None
    names = ('ms', 'ratio', *(('MiB', 'largest error', 'mean error') if in_parts else ()))
    table.add_column('way')
    for name in names:
        table.add_column(name, justify='right')
    for cost in costs:
        cells = [f'{cost.milliseconds:.1f}', f'{cost.ratio:.2f}']
        if in_parts:
            cells += [f'{cost.peak_mib:.0f}', str(cost.largest_error), f'{cost.mean_error:.4f}']
        table.add_row(cost.way, *cells)
    return table


def show_machine(console: Any, machine: dict[str, Any]) -> None:
    """Print what the figures were measured on."""
    for name, value in machine.items():
        shown = f'{value:.1f}' if isinstance(value, float) else value
        console.print(f'{name.replace("_", " ")}: {shown}', highlight=False)


def write_figures(path: Path | None, figures: dict[str, Any]) -> None:
    """Write all figures as JSON, where a file was asked for."""
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=2) + '\n')


def main() -> None:
    """Measure, print the table and write the figures."""
    args = parse_args()
    if args.card:
        return measure_card(args)
    if args.renderer:
        return measure_renderer(args)
    if args.restorer:
        return measure_restorer(args)
    if args.video:
        return measure_video(args)
    return measure_network(args)


def usable_device(name: str) -> Any:
    """Return the device of a name, if torch has it."""
    import torch
    from attentive_gan.errors import UserError

    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f'--device {name}: choose cpu, cuda or cuda:N') from error
    if device.type == 'cuda' and not torch.cuda.is_available():
        raise UserError(f'--device {name}: torch finds no CUDA device on this machine')
    return device


def measure_card(args: argparse.Namespace) -> None:
    """Measure a GPU's table; figures are printed and written as soon as they are there."""
    import attentive_gan.registration  # noqa: F401
    import torch
    from benchmarks.card_benchmark import benchmark_device
    from benchmarks.card_plan import full_plan, small_plan
    from benchmarks.card_table import line
    from mmengine.config import Config
    from rich.console import Console

    device = usable_device(args.device)
    torch.set_num_threads(args.threads or torch.get_num_threads())
    model = Config.fromfile(str(MODEL)).model.to_dict()
    model['generator']['num_steps'] = args.num_steps
    names = ['attentive']
    on_cuda = device.type == 'cuda'
    if not on_cuda:
        model['generator']['width'] = model['discriminator']['width'] = 0.125
    plan = full_plan(names) if on_cuda else small_plan(names, args.compile)
    console, results = Console(), []

    def report(result: dict[str, Any]) -> None:
        results.append(result)
        console.print(line(result), highlight=False, soft_wrap=True)
        write_figures(args.json, {'rows': results})

    benchmark_device(device, model, args.seconds, report, plan=plan)


def measure_network(args: argparse.Namespace) -> None:
    """Time networks, print the table and write the figures."""
    import attentive_gan.registration  # noqa: F401
    import torch
    from attentive_gan.leaderboard.network_timing import Setting, describe_machine, measure
    from rich.console import Console
    from rich.table import Table

    device = usable_device(args.device)
    torch.set_num_threads(args.threads or torch.get_num_threads())
    # Networks that are compared with the plain graph run as restoring runs them, where that is possible.
    restoring = args.baseline and args.dtype == 'fp32' and args.batch == 1
    setting = Setting(
        device,
        getattr(torch, DTYPES[args.dtype]),
        args.batch,
        args.repeat,
        args.train_step,
        tf32=args.dtype == 'tf32',
        restoring=restoring and not (args.train_step or args.compile),
    )
    machine = describe_machine(setting)
    table = Table(
        title='training step' if args.train_step else 'restoring',
        caption='ms: median. GiB: peak of live activations. mm: share of the rate of a matrix '
        'product.\nratio: time of the last network at this size / time of this one.',
    )
    for name in ('network', 'size', 'GMACs', 'ms', 'images/s', 'GiB', 'mm', 'ratio'):
        table.add_column(name, justify='left' if name == 'network' else 'right')
    console, rows = Console(), []
    with console.status('measuring'):
        for row in measure(build(args), args.sizes, setting, args.compile):
            rows.append(row)
            show(row, table)
    console.print(table)
    show_machine(console, machine)
    write_figures(args.json, {'machine': machine, 'rows': [asdict(row) for row in rows]})


if __name__ == '__main__':
    run(main)
