"""The tree against RFC 6962's own recursive definition and against public vectors."""

from __future__ import annotations

import base64
import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annexa.errors import Tampered
from annexa.evidence import merkle

MOST = 300
LEAVES = [f"leaf {number}".encode() for number in range(MOST)]


def split(n: int) -> int:
    """RFC 6962, 2.1: "the largest power of two smaller than n"."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


@cache
def mth(begin: int, end: int) -> bytes:
    """RFC 6962, 2.1, word for word, over LEAVES[begin:end]."""
    if begin == end:
        return sha256().digest()
    if end - begin == 1:
        return sha256(b"\x00" + LEAVES[begin]).digest()
    k = split(end - begin)
    return sha256(b"\x01" + mth(begin, begin + k) + mth(begin + k, end)).digest()


def path(m: int, begin: int, end: int) -> list[bytes]:
    """RFC 6962, 2.1.1."""
    n = end - begin
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return [*path(m, begin, begin + k), mth(begin + k, end)]
    return [*path(m - k, begin + k, end), mth(begin, begin + k)]


def subproof(m: int, begin: int, end: int, whole: bool) -> list[bytes]:
    """RFC 6962, 2.1.2."""
    n = end - begin
    if m == n:
        return [] if whole else [mth(begin, end)]
    k = split(n)
    if m <= k:
        return [*subproof(m, begin, begin + k, whole), mth(begin + k, end)]
    return [*subproof(m - k, begin + k, end, False), mth(begin, begin + k)]


class Nodes:
    """Stored subtrees, as a database would hold them; counts reads."""

    def __init__(self) -> None:
        self.stored: dict[tuple[int, int], bytes] = {}
        self.size = self.reads = 0

    def read(self, level: int, position: int) -> bytes:
        self.reads += 1
        return self.stored[level, position]

    def append(self, leaf: bytes) -> None:
        for level, position, value in merkle.append_nodes(self.size, merkle.leaf_hash(leaf), self.read):
            assert (level, position) not in self.stored
            self.stored[level, position] = value
        self.size += 1


@pytest.fixture(scope="module")
def nodes() -> Nodes:
    tree = Nodes()
    for leaf in LEAVES:
        tree.append(leaf)
    return tree


def test_empty_root_is_the_hash_of_nothing() -> None:
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.root(0, Nodes().read) == merkle.EMPTY_ROOT


def test_every_stored_node_is_the_root_of_its_leaves(nodes: Nodes) -> None:
    for (level, position), value in nodes.stored.items():
        assert value == mth(position << level, (position + 1) << level)
    assert len(nodes.stored) == sum(MOST >> level for level in range(9))


def test_root_of_every_size(nodes: Nodes) -> None:
    assert [merkle.root(size, nodes.read) for size in range(MOST + 1)] == [mth(0, size) for size in range(MOST + 1)]


def test_frontier_gives_the_root_of_every_size(nodes: Nodes) -> None:
    tree = merkle.Frontier()
    for size, leaf in enumerate(LEAVES):
        assert tree.root() == mth(0, size)
        completed = tree.completed_by(merkle.leaf_hash(leaf))
        assert completed == merkle.append_nodes(size, merkle.leaf_hash(leaf), nodes.read)
        tree.grow(completed)
        assert sorted(tree.nodes) == sorted(merkle.edge(size + 1))


def test_inclusion_of_every_leaf_in_every_size(nodes: Nodes) -> None:
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, nodes.read)
            assert proof == path(index, 0, size)
            merkle.verify_inclusion(mth(index, index + 1), index, size, proof, mth(0, size))


def test_consistency_of_every_pair_of_sizes(nodes: Nodes) -> None:
    for second in range(1, MOST + 1):
        for first in range(1, second + 1):
            proof = merkle.consistency_proof(first, second, nodes.read)
            assert proof == subproof(first, 0, second, True)
            merkle.verify_consistency(first, second, proof, mth(0, first), mth(0, second))


@pytest.mark.parametrize("size", [1, 255, 256, 257, 300])
def test_reads_grow_with_the_logarithm(nodes: Nodes, size: int) -> None:
    most = 2 * size.bit_length()
    for index in range(size):
        nodes.reads = 0
        merkle.inclusion_proof(index, size, nodes.read)
        assert nodes.reads <= most
        nodes.reads = 0
        merkle.consistency_proof(index + 1, size, nodes.read)
        assert nodes.reads <= most


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_no_proof_for_a_leaf_that_is_not_there(nodes: Nodes, index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(index, size, nodes.read)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_no_consistency_proof_where_none_exists(nodes: Nodes, first: int, second: int) -> None:
    with pytest.raises(ValueError, match="no consistency proof"):
        merkle.consistency_proof(first, second, nodes.read)


@st.composite
def spoilt(draw: st.DrawFn, proof: list[bytes]) -> list[bytes]:
    """The proof with one thing wrong."""
    proof, place = list(proof), draw(st.integers(0, max(0, len(proof) - 1)))
    match draw(st.sampled_from(["flip", "drop", "add", "stretch"])):
        case "flip" if proof:
            bit = draw(st.integers(0, 255))
            proof[place] = (int.from_bytes(proof[place]) ^ 1 << bit).to_bytes(32)
        case "drop" if proof:
            del proof[place]
        case "stretch" if proof:
            proof[place] += b"\x00"
        case _:
            proof.insert(draw(st.integers(0, len(proof))), draw(st.binary(min_size=32, max_size=32)))
    return proof


@given(st.data())
def test_a_spoilt_inclusion_proof_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, MOST))
    index = data.draw(st.integers(0, size - 1))
    proof = data.draw(spoilt(path(index, 0, size)))
    with pytest.raises(Tampered, match="inclusion proof"):
        merkle.verify_inclusion(mth(index, index + 1), index, size, proof, mth(0, size))


@given(st.data())
def test_a_spoilt_consistency_proof_is_refused(data: st.DataObject) -> None:
    second = data.draw(st.integers(1, MOST))
    first = data.draw(st.integers(1, second))
    proof = data.draw(spoilt(subproof(first, 0, second, True)))
    with pytest.raises(Tampered, match="consistency proof"):
        merkle.verify_consistency(first, second, proof, mth(0, first), mth(0, second))


def test_a_proof_of_another_length_is_called_so() -> None:
    for size in (5, 8, 13):
        inclusion, consistency = path(1, 0, size), subproof(3, 0, size, True)
        for change, said in ((lambda proof: [*proof, mth(0, 1)], "too long"), (lambda proof: proof[:-1], "too short")):
            with pytest.raises(Tampered, match=f"inclusion proof: {said}"):
                merkle.verify_inclusion(mth(1, 2), 1, size, change(inclusion), mth(0, size))
            with pytest.raises(Tampered, match=f"consistency proof: {said}"):
                merkle.verify_consistency(3, size, change(consistency), mth(0, 3), mth(0, size))


def test_from_an_empty_tree_nothing_is_shown() -> None:
    with pytest.raises(Tampered, match="nothing can be shown"):
        merkle.verify_consistency(0, 5, [], merkle.EMPTY_ROOT, mth(0, 5))
    merkle.verify_consistency(0, 0, [], merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)


def vectors(test_data: Path, kind: str) -> list[dict[str, Any]]:
    folder = test_data / "vectors" / "rfc6962-merkle" / "testdata" / kind
    return [json.loads(file.read_text()) | {"file": file.name} for file in sorted(folder.rglob("*.json"))]


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def accepts(verify: Any, *arguments: Any) -> bool:
    try:
        verify(*arguments)
    except Tampered:
        return False
    return True


def test_public_inclusion_vectors(test_data: Path) -> None:
    cases = vectors(test_data, "inclusion")
    assert len(cases) == 98
    for case in cases:
        proof = [raw(item) for item in case["proof"] or []]
        arguments = (raw(case["leafHash"]), case["leafIdx"], case["treeSize"], proof, raw(case["root"]))
        assert accepts(merkle.verify_inclusion, *arguments) is not case["wantErr"], case


def test_public_consistency_vectors(test_data: Path) -> None:
    cases = vectors(test_data, "consistency")
    assert len(cases) == 98
    for case in cases:
        proof = [raw(item) for item in case["proof"] or []]
        arguments = (case["size1"], case["size2"], proof, raw(case["root1"]), raw(case["root2"]))
        assert accepts(merkle.verify_consistency, *arguments) is not case["wantErr"], case
