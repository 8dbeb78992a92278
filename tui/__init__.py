"""npulse: a terminal dashboard for language models that run on a Rockchip NPU."""

__version__ = "0.1.0"
