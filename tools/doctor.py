"""Report versions, devices and optional features: `attentive-gan doctor`."""

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli import doctor
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(doctor)
