"""From entries to results: images, scores, cost; one entry that fails stops no other."""

from __future__ import annotations

import contextlib
import platform
import shlex
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from attentive_gan.datasets.pairing import Pair
from attentive_gan.errors import UserError
from attentive_gan.evaluation.provenance import package_versions
from attentive_gan.image_io import write_image
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.manifest import write_manifest

from .data import BenchmarkData
from .entries import Entry
from .lpips_distance import Lpips
from .measuring import CostSetting, measure_cost
from .network_source import NetworkSource
from .outputs import identity_hash, write_outputs
from .prediction_source import PredictionSource, identity_of
from .prediction_sources import build_source
from .results import ENTRIES, RESULT, EntryResult, read_result
from .scoring import means_of, score_images, scoring_facts

#: Folder of the rainy and clean images as PNG files, for the page.
DATA_IMAGES = 'data'


def _silent(pairs: Iterable[Pair], total: int, label: str) -> Iterable[Pair]:
    return pairs


@dataclass(frozen=True)
class Reporter:
    """How an evaluation tells what it does.

    Attributes:
        progress: Wraps a loop over pairs; gets the loop, its length and what it does.
        say: Gets one line.
    """

    progress: Callable[[Iterable[Pair], int, str], Iterable[Pair]] = _silent
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Plan:
    """All that an evaluation is told beside its entries and data.

    Attributes:
        out: Folder of the leaderboard.
        reference: Name of the entry that differences refer to.
        cost: How cost is measured.
        lpips: Perceptual distance, where its weights are present.
        reporter: See `Reporter`.
    """

    out: Path
    reference: str = 'input'
    cost: CostSetting = field(default_factory=CostSetting)
    lpips: Lpips | None = None
    reporter: Reporter = field(default_factory=Reporter)


def evaluate(entries: Sequence[Entry], data: BenchmarkData, plan: Plan) -> list[EntryResult]:
    """Evaluate entries one after another and write a result of each.

    Args:
        entries: What to compare, with unique names.
        data: Data set.
        plan: How.

    Returns:
        The results in the order of the entries; a failed one has its `reason`.

    Raises:
        UserError: The folder of the leaderboard cannot be written.
    """
    write_manifest(plan.out / 'data_manifest.json', data.manifest())
    reference = next((entry for entry in entries if entry.name == plan.reference), None)
    return [_evaluate_one(entry, reference, data, plan) for entry in entries]


def write_data_images(data: BenchmarkData, out: Path) -> None:
    """Write the rainy and clean images as PNG beside the page; those that are there stay.

    Args:
        data: Data set.
        out: Folder of the leaderboard.
    """
    for pair in data.pairs:
        mark = out / DATA_IMAGES / 'digests' / f'{pair.name}.txt'
        digests = ' '.join(data.digests[pair.name])
        if mark.is_file() and mark.read_text() == digests:
            continue
        for kind, image in zip(('rainy', 'clean'), data.read(pair), strict=True):
            write_image(out / DATA_IMAGES / kind / f'{pair.name}.png', image)
        write_text(mark, digests)


def command_for(entry: Entry, reference: Entry | None, data: BenchmarkData, plan: Plan) -> str:
    """Return the command that makes an entry's row anew, with the reference that it is compared to."""
    words = ['python', 'tools/leaderboard.py', data.root, *data.layout.arguments]
    named = [reference] if reference and reference != entry else []
    for one in (*named, entry):
        words += ['--entry', one.argument]
    words += ['--reference', plan.reference, '--out', str(plan.out)]
    words += ['--device', plan.cost.device, '--size', f'{plan.cost.width}x{plan.cost.height}']
    words += ['--repeat', str(plan.cost.repeat)]
    return shlex.join(words + ([] if plan.cost.timing else ['--no-timing']))


def _evaluate_one(
    entry: Entry, reference: Entry | None, data: BenchmarkData, plan: Plan
) -> EntryResult:
    """Evaluate an entry; whatever goes wrong becomes its reason."""
    empty = EntryResult(
        name=entry.name, kind=entry.kind, folder=entry.folder_name,
        command=command_for(entry, reference, data, plan),
        source={'given_as': entry.argument}, data=data.describe(),
        scoring=scoring_facts(plan.lpips), made=_made(plan),
    )  # fmt: skip
    try:
        result = _complete(entry, empty, data, plan)
    except Exception as error:  # noqa: BLE001 -- a config is code: anything may happen
        reason = str(error) if isinstance(error, UserError) else f'{type(error).__name__}: {error}'
        result = replace(empty, reason=' '.join(reason.split()) or type(error).__name__)
        plan.reporter.say(f'{entry.name} failed and is not ranked: {result.reason}')
    result.write(plan.out)
    return result


def _complete(entry: Entry, empty: EntryResult, data: BenchmarkData, plan: Plan) -> EntryResult:
    """Make images, scores and cost of an entry."""
    folder = plan.out / ENTRIES / entry.folder_name
    before = _result_before(folder)
    reporter = plan.reporter
    restorer = build_source(entry, data, plan.cost.device)
    outputs = write_outputs(
        restorer, data, folder,
        lambda pairs, total: reporter.progress(pairs, total, f'{entry.name}: images'),
        lambda text: reporter.say(f'{entry.name}: {text}'),
    )  # fmt: skip
    same_scoring = before and before.scoring == empty.scoring and before.data == empty.data
    known = {row['name']: row for row in before.records} if before and same_scoring else {}
    records = score_images(
        outputs, data, plan.lpips, known,
        lambda pairs, total: reporter.progress(pairs, total, f'{entry.name}: scores'),
    )  # fmt: skip
    source = {**empty.source, **_source_of(restorer, data)}
    return replace(
        empty,
        source=source,
        records=records,
        means={key: mean._asdict() for key, mean in means_of(records).items()},
        cost=_cost(restorer, source, before, plan.cost),
        notes=restorer.notes(),
        attention=list(outputs.with_attention),
    )


def _result_before(folder: Path) -> EntryResult | None:
    """Return what an earlier run left, where it can be read."""
    with contextlib.suppress(UserError):
        return read_result(folder / RESULT)
    return None


def _source_of(restorer: PredictionSource, data: BenchmarkData) -> dict[str, Any]:
    """Return where the images come from: the identity, and the config's whole text."""
    identity = identity_of(restorer, data)
    text = restorer.config.pretty_text if isinstance(restorer, NetworkSource) else None
    return {**identity, 'identity_sha256': identity_hash(identity), 'config_text': text}


def _cost(
    restorer: PredictionSource,
    source: dict[str, Any],
    before: EntryResult | None,
    setting: CostSetting,
) -> dict[str, Any] | None:
    """Measure the cost, or take it over from a run with the same weights, setting and threads."""
    kept = before.cost if before else None
    if before and kept and not kept['missing']:
        same = before.source.get('identity_sha256') == source['identity_sha256']
        threads = kept['machine']['threads'] if kept['machine'] else torch.get_num_threads()
        # Figures that are there are not thrown away because no new ones are wanted.
        wanted = asdict(setting) | ({} if setting.timing else {'timing': kept['setting']['timing']})
        if same and kept['setting'] == wanted and threads == torch.get_num_threads():
            return kept
    return measure_cost(restorer, setting)


def _made(plan: Plan) -> dict[str, Any]:
    """Return when and on what this is done."""
    on_cuda = plan.cost.device.startswith('cuda')
    return {
        'date': time.strftime('%Y-%m-%d %H:%M:%S %z'),
        'device': torch.cuda.get_device_name(plan.cost.device) if on_cuda else plan.cost.device,
        'threads': torch.get_num_threads(),
        'python': platform.python_version(),
        'versions': package_versions(),
    }
