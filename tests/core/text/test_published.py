"""Unicode's grapheme clusters stay whole; CommonMark's examples stream to the rows of the whole."""

from __future__ import annotations

from rich.cells import cell_len

from tests.core.text.published import commonmark_examples, grapheme_clusters
from tui.core.text.blocks import BlockSplitter, split_blocks
from tui.core.text.display import display_text
from tui.core.text.sanitize import clean
from tui.core.text.wrap import grapheme_end


def ends(text: str) -> list[int]:
    found = [0]
    while found[-1] < len(text):
        found.append(grapheme_end(text, found[-1], len(text)))
    return found


def test_no_cluster_of_unicode_is_cut() -> None:
    cases = grapheme_clusters()
    assert len(cases) > 500
    cut = []
    for clusters in cases:
        inside = {
            at
            for index, cluster in enumerate(clusters)
            for at in range(
                sum(map(len, clusters[:index])) + 1, sum(map(len, clusters[:index])) + len(cluster)
            )
        }
        if inside & set(ends("".join(clusters))):
            cut.append([ascii(cluster) for cluster in clusters])
    assert cut == []


def test_every_cut_of_every_commonmark_example_gives_the_blocks_of_the_whole() -> None:
    examples = commonmark_examples()
    assert len(examples) >= 640
    for example, _ in examples:
        text = display_text(clean(example), cell_len)
        whole = split_blocks(text)
        for cut in range(1, len(text)):
            splitter = BlockSplitter()
            splitter.feed(text[:cut])
            splitter.feed(text[cut:])
            splitter.finish()
            assert splitter.blocks == whole, (example, cut)
