"""Results of `card_benchmark` for people."""

from __future__ import annotations

from typing import Any


def line(result: dict[str, Any]) -> str:
    """Return a result as a line of text.

    Args:
        result: A result of `card_benchmark.benchmark_device`.
    """
    kind, status = result['kind'], result['status']
    if kind == 'device':
        return ', '.join(f'{k} {v}' for k, v in result.items() if k not in ('kind', 'status'))
    if kind == 'inference':
        what = f'{result["network"]} {result["width"]}x{result["height"]}'
    elif kind == 'training step':
        part = 'joint' if result['joint'] else 'generator'
        what = f'{part} {result["crop"]}x{result["crop"]}'
    else:
        what = f'{result["side"]}' if kind == 'matrix product' else f'{result["size"]} bytes'
    batch = f', batch {result["batch"]}' if 'batch' in result else ''
    mode = ', compiled' if result.get('compiled') else ''
    return f'{kind}, {what}{batch}, {result.get("precision", "uint8")}{mode}: ' + (
        _figures(result) if status == 'ok' else f'{status} ({result["reason"]})'
    )


def _figures(result: dict[str, Any]) -> str:
    """Return the figures of a result that is ok."""
    if result['kind'] == 'copy':
        return f'{result["gb_per_second"]:.0f} GB/s'
    if result['kind'] == 'matrix product':
        return f'{result["tflops"]:.3g} TFLOP/s'
    text = f'{result["milliseconds"]:.2f} ms, {result["images_per_second"]:.4g} images/s'
    text += f', {result["tflops"]:.3g} TFLOP/s'
    if result['share_of_matrix_rate'] is not None:
        text += f', {result["share_of_matrix_rate"]:.0%} of the matrix rate'
    if result['peak_gib'] is not None:
        text += f', {result["peak_gib"]:.1f} GiB'
    return text
