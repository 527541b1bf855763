"""Report versions, devices and optional features: `attentive-gan doctor`."""

from attentive_gan.cli import doctor
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(doctor)
