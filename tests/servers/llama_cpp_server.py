"""A genuine llama.cpp server with a tiny random model: a process of its own for the tests.

``python llama_cpp_server.py FOLDER``, with xllamacpp and gguf on the path, prints its address and
runs until its standard input ends. The model knows the bytes and a few words, and says words.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

WORDS = (
    "the",
    "model",
    "reads",
    "every",
    "weight",
    "once",
    "so",
    "memory",
    "decides",
    "a",
    "board",
)
EMBEDDING, HEADS, LAYERS, FEED_FORWARD, CONTEXT = 64, 4, 2, 128, 2048


def write_model(path: Path) -> None:
    """A LLaMA of two layers with random weights (seeded) in the GGUF format."""
    import gguf
    import numpy

    random = numpy.random.default_rng(1)
    kinds = gguf.TokenType
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    types = [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL, *[kinds.BYTE] * 256]
    tokens += [f"\u2581{word}" for word in WORDS]
    types += [kinds.NORMAL] * len(WORDS)

    def weights(*shape: int) -> Any:
        return (random.standard_normal(shape) * 0.3).astype(numpy.float32)

    made = gguf.GGUFWriter(str(path), "llama")
    made.add_name("tiny")
    made.add_context_length(CONTEXT)
    made.add_embedding_length(EMBEDDING)
    made.add_block_count(LAYERS)
    made.add_feed_forward_length(FEED_FORWARD)
    made.add_head_count(HEADS)
    made.add_head_count_kv(HEADS)
    made.add_layer_norm_rms_eps(1e-5)
    made.add_rope_dimension_count(EMBEDDING // HEADS)
    made.add_vocab_size(len(tokens))
    made.add_file_type(gguf.LlamaFileType.ALL_F32)
    made.add_tokenizer_model("llama")
    made.add_token_list(tokens)
    made.add_token_scores([0.0] * len(tokens))
    made.add_token_types(types)
    made.add_bos_token_id(1)
    made.add_eos_token_id(2)
    made.add_unk_token_id(0)
    made.add_add_bos_token(True)
    made.add_chat_template(
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"
    )
    output = weights(len(tokens), EMBEDDING)
    output[: -len(WORDS)] *= 0.02  # bytes are seldom said
    made.add_tensor("token_embd.weight", weights(len(tokens), EMBEDDING))
    made.add_tensor("output.weight", output)
    made.add_tensor("output_norm.weight", numpy.ones(EMBEDDING, numpy.float32))
    shapes = {
        **dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), (EMBEDDING, EMBEDDING)),
        "ffn_gate": (FEED_FORWARD, EMBEDDING),
        "ffn_up": (FEED_FORWARD, EMBEDDING),
        "ffn_down": (EMBEDDING, FEED_FORWARD),
    }
    for layer in range(LAYERS):
        for name, shape in shapes.items():
            made.add_tensor(f"blk.{layer}.{name}.weight", weights(*shape))
        for name in ("attn_norm", "ffn_norm"):
            made.add_tensor(f"blk.{layer}.{name}.weight", numpy.ones(EMBEDDING, numpy.float32))
    made.write_header_to_file()
    made.write_kv_data_to_file()
    made.write_tensors_to_file()
    made.close()


def serve(folder: Path) -> None:
    """Runs until the standard input ends."""
    import xllamacpp

    model = folder / "tiny.gguf"
    write_model(model)
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(model)
    wanted.n_ctx = 1024
    wanted.n_parallel = 1
    wanted.hostnames = ["127.0.0.1"]
    wanted.port = 0
    wanted.cpuparams.n_threads = 1
    wanted.endpoint_slots = True
    wanted.warmup = False
    wanted.verbosity = 0
    server = xllamacpp.Server(wanted)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
