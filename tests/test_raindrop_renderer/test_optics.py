"""Refraction, Fresnel transmission and blur kernels against closed forms and vector optics."""

from __future__ import annotations

import numpy as np
import pytest
from raindrop_renderer.aperture import aperture_kernel
from raindrop_renderer.exact import KERNEL_SUM
from raindrop_renderer.optics import CRITICAL_SLOPE, WATER, deviation, transmission


def refracted(normal):
    """Send a ray along +z out of water through a surface, by Snell's law in vector form."""
    ray = np.array([0.0, 0.0, 1.0])
    cosine = ray @ normal
    sine_squared = WATER**2 * (1 - cosine**2)
    return WATER * ray + (np.sqrt(1 - sine_squared) - WATER * cosine) * normal


@pytest.mark.parametrize('slope', [0.5, 5.0, 20.0, 40.0, 48.0])
def test_deviation_is_that_of_the_vector_form_and_points_to_the_thick_side(slope):
    # A surface that gets thinner to the right: its outward normal leans to the right.
    normal = np.array([np.sin(np.radians(slope)), 0, np.cos(np.radians(slope))])
    out = refracted(normal)
    assert np.hypot(*out[[0, 2]]) == pytest.approx(1)
    assert np.degrees(np.arctan2(-out[0], out[2])) == pytest.approx(deviation(np.array(slope)))


def test_transmission_without_slope_is_the_closed_form():
    reflected = ((WATER - 1) / (WATER + 1)) ** 2
    assert transmission(np.array(0.0)) == pytest.approx(1 - reflected)


def test_parallel_light_is_not_reflected_at_brewsters_angle():
    slope = np.degrees(np.arctan(1 / WATER))
    inside, outside = np.radians(slope), np.radians(90 - slope)
    perpendicular = (np.sin(inside - outside) / np.sin(inside + outside)) ** 2
    assert transmission(np.array(slope)) == pytest.approx(1 - perpendicular / 2)


def test_nothing_passes_beyond_the_critical_slope():
    assert np.degrees(np.arcsin(1 / WATER)) == pytest.approx(CRITICAL_SLOPE)
    assert transmission(np.array(CRITICAL_SLOPE + 0.01)) == 0
    assert 0 < transmission(np.array(CRITICAL_SLOPE - 0.01)) < 0.2


def test_transmission_falls_and_deviation_grows_with_the_slope():
    slopes = np.linspace(0, CRITICAL_SLOPE - 0.01, 200)
    assert (np.diff(transmission(slopes)) < 1e-12).all()
    assert (np.diff(deviation(slopes)) > 0).all()
    assert deviation(slopes).max() < 90 - CRITICAL_SLOPE


@pytest.mark.parametrize('radius', [0.0, 0.4, 1.0, 2.3, 5.2])
@pytest.mark.parametrize('blades', [0, 5, 6, 9])
def test_kernels_hold_whole_numbers_and_keep_all_light(radius, blades):
    kernel = aperture_kernel(radius, blades, 17.0)
    assert kernel.sum() == KERNEL_SUM
    np.testing.assert_array_equal(kernel, np.rint(kernel))
    assert kernel.min() >= 0


def test_a_disc_has_the_right_second_moment():
    kernel = aperture_kernel(4.7) / KERNEL_SUM
    places = np.arange(len(kernel)) - len(kernel) // 2
    # The mean squared distance within a disc is half its squared radius; a pixel adds 1/12 per direction.
    moment = (kernel * (places[:, None] ** 2 + places**2)).sum()
    assert moment == pytest.approx(4.7**2 / 2 + 1 / 6, rel=0.02)


def test_a_polygon_is_smaller_than_its_circle_and_has_its_symmetry():
    circle, hexagon = aperture_kernel(5.0), aperture_kernel(5.0, 6, 0.0)
    # The same light on less area is brighter: 2 pi / (n sin(2 pi / n)) times for n corners.
    ratio = 2 * np.pi / (6 * np.sin(np.pi / 3))
    middle = len(circle) // 2
    assert hexagon[middle, middle] / circle[middle, middle] == pytest.approx(ratio, rel=0.05)
    assert np.abs(hexagon - hexagon[::-1, ::-1]).max() <= 1  # rounding to whole numbers


def test_a_point_stays_a_point_without_blur():
    kernel = aperture_kernel(0.0)
    assert kernel[len(kernel) // 2, len(kernel) // 2] == KERNEL_SUM
