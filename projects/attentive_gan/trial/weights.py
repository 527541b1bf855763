"""What a training of a trial leaves: weights in half precision, curves, scores and a grid of images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
from mmengine.config import Config
from numpy.typing import NDArray

from attentive_gan.datasets import DrawnScene, RaindropDataset
from attentive_gan.engine.config_description import describe
from attentive_gan.engine.configuration import load_config
from attentive_gan.engine.resume_points import latest_sound_checkpoint
from attentive_gan.host import read_checkpoint
from attentive_gan.imaging import contact_sheet, write_picture
from attentive_gan.imaging.comparison import attention_picture
from attentive_gan.inference import Restorer
from attentive_gan.metrics.protocols import PROTOCOLS, Protocol
from attentive_gan.rendering.options import TRAINING_MIX, RaindropOptions
from attentive_gan.rendering.pairs import PairOptions, render_pair
from attentive_gan.rendering.parameters import Regime
from attentive_gan.weight_files.publishing import halved_part, save_weights
from attentive_gan.whole_files import write_text

from .plan import NARROW, TrialPlan

#: Parts of a checkpoint by the stem of the file they go to.
PARTS = {
    'generator': 'generator.',
    'generator_averaged': 'generator_ema.module.',
    'discriminator': 'discriminator.',
}

#: Seed of the scenes to score on, which no training here draws; dry ones beside them.
_SEED = 11
_SCENES = 2

#: Height and width of a scene.
_SIZE = (320, 480)

Image = NDArray[np.uint8]


def save_trained(plan: TrialPlan, found: dict[str, Any]) -> None:
    """Write the newest sound checkpoint's networks in half precision, and the curves of the training.

    Args:
        plan: The trial.
        found: Gets names, iterations and checksums.

    Raises:
        UserError: There is no sound checkpoint.
    """
    warnings: list[str] = []
    path = latest_sound_checkpoint(plan.work / 'training', warnings.append)
    stored = read_checkpoint(path)
    description = describe(_config(plan), plan.config)
    found |= {'checkpoint': path.name, 'iterations': stored.get('meta', {}).get('iter')}
    found['warnings'], found['weights'] = warnings, {}
    for stem, prefix in PARTS.items():
        part = halved_part(stored['state_dict'], prefix, path)
        if part:
            target = plan.out / f'{stem}.safetensors'
            own = None if stem == 'discriminator' else description
            found['weights'][target.name] = save_weights(part, target, own)
    curves = sorted((plan.work / 'training').glob('*/vis_data/scalars.json'))
    if curves:
        write_text(plan.out / 'training.json', curves[-1].read_text('utf-8'))


def score_trained(plan: TrialPlan, found: dict[str, Any]) -> None:
    """Score the written weights on held-out renderings by regime, and on real pairs if there are any.

    Args:
        plan: The trial.
        found: Gets mean PSNR in dB and SSIM, protocol `qian`, of input and result by kind.

    Raises:
        UserError: There are no weights, or the pairs cannot be read.
    """
    weights = plan.out / 'generator_averaged.safetensors'
    if not weights.is_file():
        weights = plan.out / 'generator.safetensors'
    restorer = Restorer(weights=str(weights), device=plan.device)
    kinds: dict[str, list[tuple[Image, Image]]] = {
        name: list(_rendered(name)) for name in (*TRAINING_MIX, 'dry')
    }
    if plan.pairs is not None:
        dataset = RaindropDataset(str(plan.pairs))
        kinds['real pairs'] = [
            dataset.decode(dataset.get_data_info(k)) for k in range(len(dataset))
        ]
    found['weights'] = weights.name
    rows = []
    for kind, pairs in kinds.items():
        scores, shown = _scores(restorer, pairs)
        found[kind] = scores
        rows.append((f'{kind}   {scores["input_psnr"]} -> {scores["psnr"]} dB', shown))
    headings = ('rainy', 'attention', 'restored', 'clean')
    with_maps = all(len(shown) == len(headings) for _, shown in rows)
    chosen = headings if with_maps else tuple(h for h in headings if h != 'attention')
    write_picture(plan.out / 'samples.jpg', contact_sheet(chosen, rows))


def _config(plan: TrialPlan) -> Config:
    from attentive_gan_cli import parse_options

    options = [*(NARROW if plan.device == 'cpu' else ()), *plan.options]
    return load_config(str(plan.root / plan.config), parse_options(options))


def _rendered(kind: str) -> list[tuple[Image, Image]]:
    """Render pairs of one regime, or dry ones."""
    plain = PairOptions(
        frame_width=(720, 720), exposure=(1, 1), white_balance=0, jpeg_share=0,
        dry_share=float(kind == 'dry'),
    )  # fmt: skip
    options = plain
    if kind != 'dry':
        options = replace(plain, raindrops=RaindropOptions(regimes={cast(Regime, kind): 1.0}))
    scenes = DrawnScene(_SEED, _SIZE)
    pairs = [render_pair(scenes.draw(k), k, options) for k in range(_SCENES)]
    return [(np.ascontiguousarray(p[..., :3]), np.ascontiguousarray(p[..., 3:6])) for p in pairs]


def _scores(
    restorer: Restorer, pairs: list[tuple[Image, Image]]
) -> tuple[dict[str, float], list[Image]]:
    """Return mean scores, and the images of the first pair."""
    protocol = PROTOCOLS['qian']
    values: list[list[float]] = []
    shown: list[Image] = []
    for rainy, clean in pairs:
        restored = restorer.restore(rainy, attention=restorer.gives_attention)
        values.append([*_score(protocol, rainy, clean), *_score(protocol, restored.picture, clean)])
        if not shown:
            maps = [] if restored.attention is None else [attention_picture(restored.attention)]
            shown = [rainy, *maps, restored.picture, clean]
    names = ('input_psnr', 'input_ssim', 'psnr', 'ssim')
    means = np.minimum(np.array(values), 100).mean(axis=0)
    return {name: round(float(mean), 4) for name, mean in zip(names, means, strict=True)}, shown


def _score(protocol: Protocol, image: Image, clean: Image) -> tuple[float, float]:
    return protocol.psnr(image, clean), protocol.ssim(image, clean)
