"""What a training of a trial leaves: weights in half precision, curves, scores and a grid of images."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np
from attentive_gan.checkpoints.config_description import describe
from attentive_gan.checkpoints.publishing import halved_part, save_weights
from attentive_gan.datasets.clean_images import DrawnScene
from attentive_gan.datasets.pair_reading import read_pair
from attentive_gan.engine.runner.resume_points import latest_valid_checkpoint
from attentive_gan.evaluation.protocols import PROTOCOLS, Protocol
from attentive_gan.image_io import contact_sheet, write_image
from attentive_gan.image_io.comparison import attention_image
from attentive_gan.inference import ImageRestorer
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.checkpoint_io import read_checkpoint
from attentive_gan.utils.types import ImageArray
from raindrop_renderer.options import TRAINING_MIX, RaindropOptions
from raindrop_renderer.pairs import PairOptions, render_pair
from raindrop_renderer.parameters import Regime

from .plan import TrialPlan

#: Parts of a checkpoint by the stem of the file they go to.
PARTS = {
    'generator': 'generator.',
    'generator_averaged': 'generator_ema.module.',
    'discriminator': 'discriminator.',
}

#: Seed of the scenes to score on, which no training here draws; dry ones beside them.
_SEED = 11

#: Scenes of a regime, with their height and width.
_SCENES = {'cuda': (2, (320, 480)), 'cpu': (1, (160, 240))}


def save_trained(plan: TrialPlan, found: dict[str, Any]) -> None:
    """Write the newest sound checkpoint's networks in half precision, and the curves of the training.

    Args:
        plan: The trial.
        found: Gets names, iterations and checksums.

    Raises:
        UserError: There is no sound checkpoint.
    """
    warnings: list[str] = []
    path = latest_valid_checkpoint(plan.work / 'training', warnings.append)
    stored = read_checkpoint(path)
    description = describe(plan.read_config(plan.all_options), plan.config)
    found |= {'checkpoint': path.name, 'iterations': stored.get('meta', {}).get('iter')}
    found['warnings'], found['weights'] = warnings, {}
    for stem, prefix in PARTS.items():
        part = halved_part(stored['state_dict'], prefix, path)
        target = plan.out / f'{stem}.safetensors'
        if not part:
            # That of an earlier trial: scores would take it for this one's.
            target.unlink(missing_ok=True)
        else:
            own = None if stem == 'discriminator' else description
            found['weights'][target.name] = save_weights(part, target, own)
    curves = sorted((plan.work / 'training').glob('*/vis_data/scalars.json'))
    if curves:
        write_text(plan.out / 'training.jsonl', curves[-1].read_text('utf-8'))


def score_trained(
    plan: TrialPlan, found: dict[str, Any], seconds: float, noted: Callable[[], None]
) -> None:
    """Score the written weights on held-out renderings by regime, and on real pairs if there are any.

    Args:
        plan: The trial.
        found: Gets mean PSNR in dB and SSIM, protocol `qian`, of input and result by kind, and over how
            many pairs.
        seconds: Time after which no more than a pair of each kind is scored.
        noted: Called after each kind.

    Raises:
        UserError: There are no weights, or the pairs cannot be read.
    """
    weights = plan.out / 'generator_averaged.safetensors'
    if not weights.is_file():
        weights = plan.out / 'generator.safetensors'
    end = time.monotonic() + seconds
    restorer = ImageRestorer(weights=str(weights), device=plan.device)
    kinds = {name: _rendered(name, *_SCENES[plan.device]) for name in (*TRAINING_MIX, 'dry')}
    if plan.pairs is not None:
        kinds['real pairs'] = _real(plan)
    found['weights'], found['scores'] = weights.name, {}
    rows = []
    for kind, pairs in kinds.items():
        scores, shown = _scores(restorer, pairs, end)
        found['scores'][kind] = scores
        rows.append((f'{kind}   {scores["input_psnr"]} -> {scores["psnr"]} dB', shown))
        noted()
    headings = ('rainy', 'attention', 'restored', 'clean')
    with_maps = all(len(shown) == len(headings) for _, shown in rows)
    chosen = headings if with_maps else tuple(h for h in headings if h != 'attention')
    write_image(plan.out / 'samples.jpg', contact_sheet(chosen, rows))


def _real(plan: TrialPlan) -> Iterator[tuple[ImageArray, ImageArray]]:
    """Read the real pairs one after another."""
    dataset = plan.real_pairs()
    if dataset is not None:
        for index in range(len(dataset)):
            yield read_pair(dataset.get_data_info(index))


def _rendered(
    kind: str, count: int, size: tuple[int, int]
) -> Iterator[tuple[ImageArray, ImageArray]]:
    """Render pairs of one regime, or dry ones."""
    plain = PairOptions(
        frame_width=(720, 720), exposure=(1, 1), white_balance=0, jpeg_share=0,
        dry_share=float(kind == 'dry'),
    )  # fmt: skip
    options = plain
    if kind != 'dry':
        options = replace(plain, raindrops=RaindropOptions(regimes={cast(Regime, kind): 1.0}))
    scenes = DrawnScene(_SEED, size)
    for k in range(count):
        pair = render_pair(scenes.draw(k), k, options)
        yield np.ascontiguousarray(pair[..., :3]), np.ascontiguousarray(pair[..., 3:6])


def _scores(
    restorer: ImageRestorer, pairs: Iterable[tuple[ImageArray, ImageArray]], end: float
) -> tuple[dict[str, float], list[ImageArray]]:
    """Return mean scores and the images of the first pair; until a moment of the monotonic clock."""
    protocol = PROTOCOLS['qian']
    values: list[list[float]] = []
    shown: list[ImageArray] = []
    for rainy, clean in pairs:
        restored = restorer.restore(rainy, attention=restorer.gives_attention)
        values.append([*_score(protocol, rainy, clean), *_score(protocol, restored.image, clean)])
        if not shown:
            maps = [] if restored.attention is None else [attention_image(restored.attention)]
            shown = [rainy, *maps, restored.image, clean]
        if time.monotonic() > end:
            break
    names = ('input_psnr', 'input_ssim', 'psnr', 'ssim')
    means = np.minimum(np.array(values), 100).mean(axis=0)
    scores = {name: round(float(mean), 4) for name, mean in zip(names, means, strict=True)}
    return {**scores, 'pairs': len(values)}, shown


def _score(protocol: Protocol, image: ImageArray, clean: ImageArray) -> tuple[float, float]:
    return protocol.psnr(image, clean), protocol.ssim(image, clean)
