"""Networks and losses on CUDA against float64 on a CPU.

ATTENTIVE_GAN_TEST_DEVICE=cpu runs the same tests on a CPU, to look for mistakes in the tests themselves.
"""

from __future__ import annotations

import copy
import os
from contextlib import ExitStack, contextmanager
from functools import cache

# cuBLAS looks at this when it is first used; deterministic algorithms need it.
os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')

import attentive_gan.registration  # noqa: F401
import pytest
import torch
from attentive_gan.inference.precision import use_tf32
from attentive_gan.models.losses import (
    AdversarialLoss,
    AttentionLoss,
    AttentionMapLoss,
    MultiScaleLoss,
    SSIMLoss,
    VGGPerceptualLoss,
)
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.models.networks.discriminators import AttentiveDiscriminator, PlainDiscriminator
from benchmarks.card_benchmark import benchmark_device
from benchmarks.card_plan import Copy, Inference, MatrixProduct, TrainingStep
from mmengine.config import Config
from support.lively_networks import lively
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

NAME = os.environ.get('ATTENTIVE_GAN_TEST_DEVICE', 'cuda')
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        NAME.startswith('cuda') and not torch.cuda.is_available(), reason='no CUDA device'
    ),
]
DEVICE = torch.device(NAME)

#: Largest relative error of a result, and smallest cosine and largest relative difference in length of
#: its gradients.
TOLERANCES = {
    'fp32': (1e-4, 0.99999, 1e-3),
    'tf32': (5e-3, 0.999, 2e-2),
    'bf16': (3e-2, 0.99, 5e-2),
    'fp16': (3e-2, 0.99, 5e-2),
}
HALVES = {'bf16': torch.bfloat16, 'fp16': torch.float16}
LAYOUTS = {'contiguous': torch.contiguous_format, 'channels_last': torch.channels_last}
NETWORKS = {
    'generator': AttentiveGenerator,
    'small': lambda: AttentiveGenerator(
        2,
        attention_activation='sigmoid',
        width=0.25,
        blocks=2,
        shuffle=2,
        residual=True,
        gated=True,
    ),
    'attentive discriminator': AttentiveDiscriminator,
    'plain discriminator': PlainDiscriminator,
}


@contextmanager
def computing(precision: str):
    """Compute in a precision: float32 with or without TF32, or by autocast."""
    with ExitStack() as stack:
        stack.enter_context(use_tf32(precision == 'tf32'))
        if precision in HALVES:
            stack.enter_context(torch.autocast(DEVICE.type, HALVES[precision]))
        yield


def random(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@cache
def exact_network(name):
    """A network in float64 on the CPU."""
    network = lively(NETWORKS[name]())
    if isinstance(network, PlainDiscriminator):
        # Sums of terms of one sign: else a logit near 0 would have no relative precision to speak of.
        network.fc1.weight.abs_()
        network.fc2.weight.abs_()
        image = random(2, 3, 64, 64)
        network.fc2.weight.div_(network(image).logits.mean())
    return network.double()


def on_device(name, layout='channels_last'):
    network = copy.deepcopy(exact_network(name)).float().to(DEVICE)
    return network.to(memory_format=LAYOUTS[layout])


def results(network, image):
    """All results of a network, by name; none is left out."""
    if isinstance(network, AttentiveGenerator):
        output = network(image, side_outputs=True)
        maps = {f'map {k}': value for k, value in enumerate(output.attention_maps)}
        return dict(restored=output.restored, half=output.half, quarter=output.quarter, **maps)
    verdict = network(image)
    found = {'logits': verdict.logits, 'map': verdict.attention_map}
    return {name: value for name, value in found.items() if value is not None}


@cache
def exact_results(name, batch, height, width):
    with torch.no_grad():
        return results(exact_network(name), random(batch, 3, height, width).double())


def relative_error(found, expected):
    found, expected = found.detach().cpu().double(), expected.detach().cpu().double()
    assert found.shape == expected.shape
    return ((found - expected).norm() / expected.norm()).item()


@pytest.mark.parametrize('precision', TOLERANCES)
@pytest.mark.parametrize(
    ('size', 'layout'),
    [((2, 64, 96), 'channels_last'), ((1, 61, 83), 'contiguous')],
    ids=['channels_last', 'contiguous, odd size'],
)
@pytest.mark.parametrize('name', NETWORKS)
def test_forward_equals_float64(name, size, layout, precision):
    expected = exact_results(name, *size)
    network = on_device(name, layout)
    image = random(size[0], 3, *size[1:]).to(DEVICE).contiguous(memory_format=LAYOUTS[layout])
    with torch.no_grad(), computing(precision):
        found = results(network, image)
    assert found.keys() == expected.keys()
    for key, value in found.items():
        assert value.device.type == DEVICE.type, key
        assert relative_error(value, expected[key]) < TOLERANCES[precision][0], key


@pytest.mark.parametrize('precision', ['bf16', 'fp16'])
def test_half_precision_weights_equal_float64(precision):
    """As restoring uses them: the network itself in half precision, without autocast."""
    network = on_device('generator').to(HALVES[precision])
    image = random(1, 3, 61, 83).to(DEVICE, HALVES[precision])
    with torch.no_grad():
        found = network(image)
    assert found.dtype == HALVES[precision]
    expected = exact_results('generator', 1, 61, 83)['restored']
    assert relative_error(found, expected) < 5e-2


def generator_loss(output, clean, mask):
    outputs = (output.quarter, output.half, output.restored)
    return MultiScaleLoss()(outputs, clean) + AttentionLoss()(output.attention_maps, mask)


def discriminator_loss(verdict, target):
    real, restored = verdict.logits.chunk(2)
    loss = AdversarialLoss().discriminator_loss(real, restored)
    if verdict.attention_map is None:
        return loss
    real_map, restored_map = verdict.attention_map.chunk(2)
    return loss + AttentionMapLoss()(restored_map, real_map, target)


def backward(name, network, precision='fp32', scale=1.0):
    """Run a network's own losses forward and backward; return the gradients by parameter."""
    device, dtype = (getattr(next(network.parameters()), key) for key in ('device', 'dtype'))
    rainy, clean = (random(2, 3, 64, 64, seed=k).to(device, dtype) for k in (0, 1))
    mask = (random(2, 1, 64, 64, seed=2) > 0.5).to(device, dtype)
    network.requires_grad_(True)
    # The reference is in float64 throughout, which the losses would round to float32.
    with ExitStack() as stack:
        if device.type == DEVICE.type and dtype == torch.float32:
            stack.enter_context(computing(precision))
        if 'discriminator' in name:
            loss = discriminator_loss(network(torch.cat((clean, rainy))), mask)
        else:
            output = network(rainy, side_outputs=True)
            loss = generator_loss(output, clean, mask)
    assert loss.ndim == 0
    (loss.float() * scale).backward()
    return {key: value.grad / scale for key, value in network.named_parameters()}


@cache
def exact_gradients(name):
    return backward(name, copy.deepcopy(exact_network(name)))


@pytest.mark.parametrize('precision', TOLERANCES)
@pytest.mark.parametrize(
    'name', ['generator', 'small', 'attentive discriminator', 'plain discriminator']
)
def test_gradients_equal_float64(name, precision):
    expected = exact_gradients(name)
    scale = 2.0**10 if precision == 'fp16' else 1.0
    found = backward(name, on_device(name), precision, scale)
    assert all(value.dtype == torch.float32 for value in found.values())
    ours, theirs = (
        torch.cat([gradients[key].detach().cpu().double().flatten() for key in expected])
        for gradients in (found, expected)
    )
    _, cosine, length = TOLERANCES[precision]
    assert ours.isfinite().all()
    assert torch.nn.functional.cosine_similarity(ours, theirs, dim=0) > cosine
    assert abs(ours.norm() / theirs.norm() - 1) < length


@pytest.fixture(scope='module')
def vgg_file(tmp_path_factory):
    """VGG16's first four convolutions with random weights."""
    state, channels = {}, 3
    source = torch.Generator().manual_seed(0)
    for position, width in ((0, 64), (2, 64), (5, 128), (7, 128)):
        shape = (width, channels, 3, 3)
        state[f'features.{position}.weight'] = torch.randn(shape, generator=source) * 0.06
        state[f'features.{position}.bias'] = torch.randn(width, generator=source) * 0.1
        channels = width
    path = tmp_path_factory.mktemp('vgg') / 'vgg16.pth'
    torch.save(state, path)
    return str(path)


def all_losses(device, dtype, vgg_file):
    """Each loss as a function of images (2, 3, 32, 32), with everything on the device."""
    clean = random(2, 3, 32, 32, seed=1).to(device, dtype)
    vgg = VGGPerceptualLoss(weights_path=vgg_file).to(device, dtype)
    adversarial, yuv = AdversarialLoss(), SSIMLoss(chroma_weight=0.6).to(device)

    def scales(x):
        return MultiScaleLoss()([x[..., ::4, ::4], x[..., ::2, ::2], x], clean)

    return {
        'attention': lambda x: AttentionLoss()([x[:, :1], x[:, 1:2]], clean[:, :1]),
        'scales': scales,
        'map': lambda x: AttentionMapLoss()(x[:, :1], x[:, 1:2], clean[:, :1]),
        'generator': lambda x: adversarial.generator_loss(x[:, 0, 0, :1]),
        'discriminator': lambda x: adversarial.discriminator_loss(x[:, 0, 0], x[:, 1, 0]),
        'ssim': lambda x: SSIMLoss()(x, clean),
        'ssim 7': lambda x: SSIMLoss(window='uniform')(x, clean),
        'ssim yuv': lambda x: yuv(x, clean),
        'vgg': lambda x: vgg(x, clean),
    }


LOSSES = [
    'attention',
    'scales',
    'map',
    'generator',
    'discriminator',
    'ssim',
    'ssim 7',
    'ssim yuv',
    'vgg',
]

#: Losses with products, which TF32 rounds, and autocast unless the loss forbids it.
PRODUCTS = ('ssim', 'ssim yuv', 'vgg')


@pytest.mark.parametrize('precision', TOLERANCES)
@pytest.mark.parametrize('name', LOSSES)
def test_losses_equal_float64_in_value_and_gradient(vgg_file, name, precision):
    images = random(2, 3, 32, 32)
    # What a half-precision network hands over is rounded; the loss itself must not be.
    images = images.to(HALVES.get(precision, torch.float32))
    expected = images.double().requires_grad_()
    exact = all_losses(torch.device('cpu'), torch.float64, vgg_file)[name](expected)
    exact.backward()
    leaf = images.to(DEVICE).requires_grad_()
    with computing(precision):
        loss = all_losses(DEVICE, torch.float32, vgg_file)[name](leaf)
    # A loss scale keeps gradients of float16 images from vanishing.
    scale = 2.0**12 if precision == 'fp16' else 1.0
    (loss * scale).backward()
    assert loss.dtype == torch.float32
    assert loss.device.type == DEVICE.type
    products = name in PRODUCTS and precision != 'fp32'
    tolerance = TOLERANCES[precision][0] if products else 1e-5
    assert loss.item() == pytest.approx(exact.item(), rel=tolerance)
    # Gradients have the type of the images: of bfloat16, a number is right to 2^-9.
    slope = 0.1 if products else 5e-3 if precision in HALVES else 1e-4
    assert relative_error(leaf.grad.double() / scale, expected.grad) < slope


class NotChannelsLast(TorchDispatchMode):
    """Notes operators whose images of many channels are not channels-last.

    The allowed ones give NCHW on a card whatever they get; but what takes their results next, other than
    by making them channels-last, is noted.
    """

    def __init__(self, allowed=()):
        super().__init__()
        self.found = []
        self.seen = 0
        self.allowed = allowed
        self.converted = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket in self.allowed:
            self.converted.append(result)
            return result
        for value in tree_leaves(args):
            waits = any(value is one for one in self.converted) and value.stride(1) != 1
            gives = any(isinstance(one, torch.Tensor) for one in tree_leaves(result))
            if waits and gives and func is not torch.ops.aten.clone.default:
                self.found.append((f'{func} of an unconverted result', tuple(value.shape)))
        for value in tree_leaves(result):
            # Images of few channels may be as they are. Small ones are weights, or the 14x14 features
            # that the discriminator's linear layers expect channel by channel.
            is_map = isinstance(value, torch.Tensor) and value.ndim == 4
            if is_map and value.shape[1] >= 8 and min(value.shape[2:]) > 14:
                self.seen += 1
                if value.stride(1) != 1:
                    self.found.append((str(func), tuple(value.shape), value.stride()))
        return result


@pytest.mark.parametrize('precision', ['fp32', 'bf16'])
@pytest.mark.parametrize('grad', [False, True])
@pytest.mark.parametrize('name', ['generator', 'attentive discriminator'])
def test_everything_inside_is_channels_last(name, grad, precision):
    network = on_device(name).requires_grad_(grad)
    image = random(2, 3, 64, 64).to(DEVICE)
    # Restoring repeats the border by CUDA's padding, which streaming knows, and converts its result.
    allowed = () if grad else (torch.ops.aten.replication_pad2d,)
    with torch.set_grad_enabled(grad), NotChannelsLast(allowed) as watch:
        with computing(precision):
            total = sum(value.float().mean() for value in results(network, image).values())
        if grad:
            total.backward()
    assert watch.seen > 10
    assert watch.found == []
    # Twice in each of the generator's forward passes, and nowhere else.
    assert len(watch.converted) == (2 if name == 'generator' and not grad else 0)


@pytest.mark.parametrize('name', ['generator', 'attentive discriminator'])
def test_convolutions_get_channels_last(name):
    """The first convolution takes the image as it is; no other may have to convert its input."""
    network, wrong = on_device(name), []

    def check(layer, args):
        x = args[0]
        if x.shape[1] > 4 and not x.is_contiguous(memory_format=torch.channels_last):
            wrong.append((layer, x.shape, x.stride()))

    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            layer.register_forward_pre_hook(check)
    with torch.no_grad():
        results(network, random(2, 3, 64, 64).to(DEVICE))
    assert wrong == []


@contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(
    'name', ['generator', 'small', 'attentive discriminator', 'plain discriminator']
)
def test_training_can_be_deterministic(name):
    """No operator refuses, forward or backward, and two runs agree to the bit."""
    with deterministic():
        first, second = (backward(name, on_device(name), 'bf16') for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_compiled_generator_equals_eager():
    network = lively(AttentiveGenerator(1, blocks=1)).to(DEVICE, memory_format=torch.channels_last)
    image = random(1, 3, 64, 64).to(DEVICE)
    torch._dynamo.reset()
    try:
        with torch.no_grad(), computing('fp32'):
            expected = network(image)
            network.compile(dynamic=False)
            found = network(image)
    finally:
        torch._dynamo.reset()
    assert relative_error(found, expected) < 1e-3


def test_benchmark_measures(repository):
    """The table of a device, small; with CUDA's events and memory where there is CUDA."""
    config = Config.fromfile(str(repository / 'configs/_base_/models/attgan.py'))
    model = config.model.to_dict()
    plan = [
        Copy(2**20),
        MatrixProduct('bf16', 64),
        Inference('attentive', 48, 32, 1, 'bf16'),
        TrainingStep(True, 32, 2, 'bf16'),
    ]
    found = []
    benchmark_device(DEVICE, model, 60, found.append, plan=plan)
    assert [result for result in found if result['status'] != 'ok'] == []
    steps = [result for result in found if result['kind'] == 'training step']
    assert all(0 < s['fastest_milliseconds'] <= s['milliseconds'] for s in steps)
    if DEVICE.type == 'cuda':
        assert all(s['peak_gib'] > 0.05 for s in steps)  # weights and optimizer states alone


def test_onnx_runtime_on_cuda(tmp_path):
    """ONNX Runtime restores on the card as on the CPU."""
    runtime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    wanted = 'CUDAExecutionProvider' if DEVICE.type == 'cuda' else 'CPUExecutionProvider'
    if wanted not in runtime.get_available_providers():
        pytest.skip(f'this ONNX Runtime has no {wanted}')
    from attentive_gan.export import export
    from attentive_gan.inference.onnx_session import OnnxSession
    from support.described_networks import write_described

    weights = write_described(tmp_path, 'unet', 'rgb')
    export(None, str(weights), tmp_path / 'unet.onnx', 'onnx')
    image = random(1, 3, 61, 83)
    found, expected = (
        OnnxSession(tmp_path / 'unet.onnx', device).run(image, ['restored'])[0]
        for device in (DEVICE.type, 'cpu')
    )
    assert relative_error(found, expected) < 5e-3  # ONNX Runtime uses TF32 where the card has it
