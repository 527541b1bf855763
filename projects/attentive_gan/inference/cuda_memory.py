"""CUDA devices and their memory, also for a torch without CUDA, beside which ONNX Runtime may use a GPU."""

from __future__ import annotations

import ctypes
import sys

import torch


def device_count() -> int:
    """Return how many CUDA devices this process may use; 0 without a GPU or its driver."""
    return torch.cuda.device_count() or _driver_count()


def total_memory(device: torch.device) -> int:
    """Return the bytes of a CUDA device's memory.

    Raises:
        RuntimeError: There is no such device.
    """
    if torch.cuda.is_available():
        return int(torch.cuda.get_device_properties(device).total_memory)
    driver, handle, size = _driver(), ctypes.c_int(), ctypes.c_size_t()
    if (
        driver is None
        or driver.cuDeviceGet(ctypes.byref(handle), device.index or 0)
        or driver.cuDeviceTotalMem_v2(ctypes.byref(size), handle)
    ):
        raise RuntimeError(f'the CUDA driver finds no device {device}')
    return size.value


def free_memory(device: torch.device) -> int:
    """Return the bytes that this process can still take on a CUDA device.

    Memory that torch keeps for later tensors counts as free. Without CUDA in torch, all memory counts.
    """
    if not torch.cuda.is_available():
        return total_memory(device)
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device.index)[0]) + kept


def _driver_count() -> int:
    driver, count = _driver(), ctypes.c_int()
    if driver is None or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


def _driver() -> ctypes.CDLL | None:
    """Return the initialized CUDA driver, if there is one."""
    try:
        driver = ctypes.CDLL('nvcuda.dll' if sys.platform == 'win32' else 'libcuda.so.1')
    except OSError:
        return None
    return None if driver.cuInit(0) else driver
