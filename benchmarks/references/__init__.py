"""References for npulse: small Textual programs that do the same with Textual's own widgets.

Each is a program of its own (``python -m benchmarks.references.log --url URL``) that takes a prompt
in an ``Input`` at the bottom and shows the answer of an OpenAI-compatible server above it. Only
``forwarder`` has no screen: it is what ``npulse tap`` is measured against.
"""
