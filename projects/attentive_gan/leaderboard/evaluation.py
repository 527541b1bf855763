"""From entries to results: images, scores, cost. An entry that fails does not stop the others."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import shlex
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from attentive_gan.datasets.pairing import Pair
from attentive_gan.errors import UserError
from attentive_gan.evaluation.lpips_distance import Lpips
from attentive_gan.evaluation.provenance import package_versions
from attentive_gan.image_io import write_image
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.manifest import write_manifest

from .cost import Cost, CostSetting, measure_cost
from .data import BenchmarkData
from .entries import Entry
from .network_source import NetworkSource
from .outputs import Outputs, equal_inputs, write_outputs
from .result_reading import read_result
from .results import ENTRIES, RESULT, EntryResult, RunInfo, SourceInfo
from .scoring import Scoring, score_images, score_means
from .sources import FolderSource, InpaintingSource, InputSource, PredictionSource

#: Folder of the rainy and clean images as PNG files, for the page.
DATA_IMAGES = 'data'


@dataclass(frozen=True)
class Plan:
    """Options of an evaluation.

    Attributes:
        out: Folder of the leaderboard.
        reference: Name of the entry that differences refer to.
        cost: How cost is measured; its device also makes the images.
        lpips: Perceptual distance, where its weights are present.
        progress: Wraps a loop over pairs; called with the loop, its length and a label.
        log: Called with one line of text.
    """

    out: Path
    reference: str = 'input'
    cost: CostSetting = field(default_factory=CostSetting)
    lpips: Lpips | None = None
    progress: Callable[[Iterable[Pair], int, str], Iterable[Pair]] = lambda pairs, *_: pairs
    log: Callable[[str], None] = lambda _: None


def evaluate(entries: Sequence[Entry], data: BenchmarkData, plan: Plan) -> list[EntryResult]:
    """Evaluate entries one after another and write a result of each.

    Args:
        entries: What to compare, with unique names.
        data: Data set.
        plan: Options.

    Returns:
        The results in the order of the entries; a failed one has its `reason`.

    Raises:
        UserError: The folder of the leaderboard cannot be written.
    """
    write_manifest(plan.out / 'data_manifest.json', data.manifest())
    reference = [entry for entry in entries if entry.name == plan.reference]
    results = []
    for entry in entries:
        empty = EntryResult(
            entry.name, entry.kind, entry.folder_name,
            _command([*(other for other in reference if other != entry), entry], data, plan),
            SourceInfo(entry.argument), data.describe(), Scoring.current(plan.lpips), _run_info(plan),
        )  # fmt: skip
        try:
            result = _evaluate_one(entry, empty, data, plan)
        except Exception as error:  # noqa: BLE001 -- a config is code: it may raise anything
            text = (
                str(error) if isinstance(error, UserError) else f'{type(error).__name__}: {error}'
            )
            result = replace(empty, reason=' '.join(text.split()) or type(error).__name__)
            plan.log(f'{entry.name} failed and is not ranked: {result.reason}')
        result.write(plan.out)
        results.append(result)
    return results


def _evaluate_one(entry: Entry, empty: EntryResult, data: BenchmarkData, plan: Plan) -> EntryResult:
    """Make images, scores and cost of an entry; keep those of an earlier run that still hold."""
    folder = plan.out / ENTRIES / entry.folder_name
    before = None
    with contextlib.suppress(UserError):
        before = read_result(folder / RESULT)
    source = build_source(entry, data, plan.cost.device)
    info = _source_info(entry, source, data)
    outputs = write_outputs(
        source, info.identity_sha256, data, folder,
        lambda pairs, total: plan.progress(pairs, total, f'{entry.name}: images'),
        lambda text: plan.log(f'{entry.name}: {text}'),
    )  # fmt: skip
    comparable = before and before.scoring == empty.scoring and before.data == empty.data
    known = {record['name']: record for record in before.records} if before and comparable else {}
    records = score_images(
        outputs, data, plan.lpips, known,
        lambda pairs, total: plan.progress(pairs, total, f'{entry.name}: scores'),
    )  # fmt: skip
    same_network = before and before.source.identity_sha256 == info.identity_sha256
    return replace(
        empty,
        source=info,
        records=records,
        means=score_means(records),
        cost=_cost(source, before.cost if before and same_network else None, plan.cost),
        notes=[*source.notes(), *_warnings(entry, outputs, data, plan)],
        attention=outputs.with_attention,
    )


def _warnings(entry: Entry, outputs: Outputs, data: BenchmarkData, plan: Plan) -> list[str]:
    """Log and return what is suspicious about the images of an entry that is not the input itself."""
    if entry.kind == 'input' or not equal_inputs(outputs, data):
        return []
    warning = 'warning: all images equal the rainy inputs, nothing was restored'
    plan.log(f'{entry.name}: {warning}')
    return [warning]


def build_source(entry: Entry, data: BenchmarkData, device: str) -> PredictionSource:
    """Build the source of an entry's images.

    Args:
        entry: The entry.
        data: Data set.
        device: Device of a network.

    Raises:
        UserError: A file is missing or does not fit.
    """
    if entry.kind == 'input':
        return InputSource(data)
    if entry.kind == 'inpainting':
        return InpaintingSource(data, entry.source)
    if entry.kind == 'folder':
        return FolderSource(data, entry.source)
    if entry.kind == 'weights':
        return NetworkSource(data, None, entry.source, device)
    return NetworkSource(data, entry.source, entry.checkpoint, device)


def _source_info(entry: Entry, source: PredictionSource, data: BenchmarkData) -> SourceInfo:
    """Return the origin of the images, with the hash of all that determines them."""
    identity = {**source.identity(), 'data_manifest_sha256': data.manifest_sha256}
    text = json.dumps(identity, sort_keys=True, default=str)
    sha256 = hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()
    return SourceInfo(entry.argument, identity, sha256, source.config_text)


def _cost(source: PredictionSource, before: Cost | None, setting: CostSetting) -> Cost | None:
    """Measure the cost of a network, unless that of an earlier run is still current."""
    if source.network is None:
        return None
    return (
        before if before and before.is_current(setting) else measure_cost(source.network, setting)
    )


def _command(entries: Sequence[Entry], data: BenchmarkData, plan: Plan) -> str:
    """Return the command that evaluates entries with the same options."""
    cost = plan.cost
    words = ['python', 'tools/leaderboard.py', data.root, *data.layout.arguments]
    words += [word for entry in entries for word in ('--entry', entry.argument)]
    words += ['--reference', plan.reference, '--out', str(plan.out), '--device', cost.device]
    words += ['--size', cost.size, '--repeat', str(cost.repeat)]
    return shlex.join(words + ([] if cost.timing else ['--no-timing']))


def _run_info(plan: Plan) -> RunInfo:
    """Return the current time and machine."""
    device = plan.cost.device
    return RunInfo(
        date=time.strftime('%Y-%m-%d %H:%M:%S %z'),
        device=torch.cuda.get_device_name(device) if device.startswith('cuda') else device,
        threads=torch.get_num_threads(),
        python=platform.python_version(),
        versions=package_versions(),
    )


def write_data_images(data: BenchmarkData, out: Path) -> None:
    """Write the rainy and clean images as PNG for the page; unchanged ones are kept.

    Args:
        data: Data set.
        out: Folder of the leaderboard.

    Raises:
        UserError: A file cannot be written.
    """
    for pair in data.pairs:
        mark = out / DATA_IMAGES / 'digests' / f'{pair.name}.txt'
        digests = ' '.join(data.digests[pair.name])
        if mark.is_file() and mark.read_text() == digests:
            continue
        for kind, image in zip(('rainy', 'clean'), data.read(pair), strict=True):
            write_image(out / DATA_IMAGES / kind / f'{pair.name}.png', image)
        write_text(mark, digests)
