"""The Merkle tree of RFC 6962, section 2.1, as pure functions.

A tree is known by its *perfect subtrees*: `read(level, position)` gives the hash of the 2**level leaves that
start at leaf position * 2**level. Level 0 are the leaf hashes. Such a hash never changes once the subtree is
full, so a store only ever adds to them, and every question below is answered by reading O(log n) of them.

The verifiers follow RFC 9162, 2.1.3.2 and 2.1.4.2 (the same tree, with verification spelt out).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from annexa.errors import Tampered

Read = Callable[[int, int], bytes]
"""`read(level, position)`: the hash of a full subtree."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""

_LENGTH = 32


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def append_nodes(size: int, leaf: bytes, read: Read) -> list[tuple[int, int, bytes]]:
    """The perfect subtrees that are complete once a leaf is added, lowest first.

    Args:
        size: Number of leaves before.
        leaf: The new leaf's hash.
        read: Reads subtrees of the tree before.

    Returns:
        `(level, position, hash)`, the leaf itself as `(0, size, leaf)` first.
    """
    level, position = 0, size
    nodes = [(level, position, leaf)]
    while position & 1:
        leaf = node_hash(read(level, position - 1), leaf)
        level, position = level + 1, position >> 1
        nodes.append((level, position, leaf))
    return nodes


def edge(size: int) -> list[tuple[int, int]]:
    """`(level, position)` of the perfect subtrees that make up a tree, from the left: one per bit of its size."""
    return _cover(0, size)


@dataclass(slots=True)
class Frontier:
    """All that is needed to go on with a tree: its size, and the subtrees of its `edge`."""

    size: int = 0
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def read(self, level: int, position: int) -> bytes:
        """A subtree of the edge."""
        return self.nodes[level, position]

    def completed_by(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """`append_nodes` for the next leaf; changes nothing."""
        return append_nodes(self.size, leaf, self.read)

    def grow(self, completed: list[tuple[int, int, bytes]]) -> None:
        """Take in what `completed_by` gave: the highest subtree stands for those below it."""
        level, position, value = completed[-1]
        for lower in range(level):
            del self.nodes[lower, (self.size >> lower) - 1]
        self.nodes[level, position] = value
        self.size += 1

    def root(self) -> bytes:
        """The tree's root."""
        return root(self.size, self.read)


def root(size: int, read: Read) -> bytes:
    """The tree's root: MTH(D[size])."""
    return _range_hash(0, size, read) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: Read) -> list[bytes]:
    """PATH(index, D[size]): what is needed to get from a leaf to the root, lowest first.

    Raises:
        ValueError: The tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    proof, begin, end = [], 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            proof.append(_range_hash(middle, end, read))
            end = middle
        else:
            proof.append(_range_hash(begin, middle, read))
            begin = middle
    return proof[::-1]


def consistency_proof(first: int, second: int, read: Read) -> list[bytes]:
    """PROOF(first, D[second]): that the tree of `first` leaves is a beginning of the tree of `second`.

    Raises:
        ValueError: Not 0 < first <= second: nothing can be proven about an empty tree, every tree begins with it.
    """
    if not 0 < first <= second:
        raise ValueError(f"no consistency proof from {first} to {second} leaves")
    proof, begin, end = [], 0, second
    while end != first:
        middle = begin + _split(end - begin)
        if first <= middle:
            proof.append(_range_hash(middle, end, read))
            end = middle
        else:
            proof.append(_range_hash(begin, middle, read))
            begin = middle
    if begin > 0:
        proof.append(_range_hash(begin, end, read))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """Check that the leaf with this hash is number `index` of the tree of `size` leaves with root `expected`.

    Raises:
        Tampered: The proof does not show it.
    """
    if not 0 <= index < size:
        raise Tampered(f"inclusion proof: a tree of {size} leaves has no leaf {index}")
    _check_lengths("inclusion", [leaf, *proof])
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise Tampered("inclusion proof: too long")
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            node, last = _up_to_right_child(node, last)
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise Tampered("inclusion proof: too short")
    if computed != expected:
        raise Tampered(f"inclusion proof: leaf {index} does not lead to the root of the tree of {size} leaves")


def verify_consistency(first: int, second: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Check that the tree with root `root1` and `first` leaves is a beginning of the one with `root2` and `second`.

    Raises:
        Tampered: The proof does not show it; also for an empty first tree before a larger one, of which nothing
            can be shown.
    """
    if first == second and first >= 0:
        _same_size(first, proof, root1, root2)
        return
    if not 0 < first < second:
        raise Tampered(f"consistency proof: nothing can be shown from {first} to {second} leaves")
    _check_lengths("consistency", proof)
    path = list(proof) if first & (first - 1) else [root1, *proof]
    if not proof:
        raise Tampered("consistency proof: empty, though the sizes differ")
    old, new = _roots_from(path, first - 1, second - 1)
    if old != root1:
        raise Tampered(f"consistency proof: does not lead to the root of the tree of {first} leaves")
    if new != root2:
        raise Tampered(f"consistency proof: does not lead to the root of the tree of {second} leaves")


def _roots_from(path: Sequence[bytes], node: int, last: int) -> tuple[bytes, bytes]:
    """Both roots that a consistency path leads to, from the last leaf of either tree (RFC 9162, 2.1.4.2, 4 to 7)."""
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise Tampered("consistency proof: too long")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            node, last = _up_to_right_child(node, last)
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise Tampered("consistency proof: too short")
    return old, new


def _same_size(size: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    if proof:
        raise Tampered("consistency proof: not empty, though the sizes are equal")
    if root1 != root2 or (size == 0 and root1 != EMPTY_ROOT):
        raise Tampered(f"consistency proof: the roots of the trees of {size} leaves differ")


def _up_to_right_child(node: int, last: int) -> tuple[int, int]:
    """Where a node on the right edge has no sibling, go up until it is a right child (or the root)."""
    while node and not node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _check_lengths(what: str, hashes: Sequence[bytes]) -> None:
    """A hash of another length could shift the border between left and right."""
    if any(len(value) != _LENGTH for value in hashes):
        raise Tampered(f"{what} proof: a hash is not {_LENGTH} bytes long")


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (> 1)."""
    return 1 << ((size - 1).bit_length() - 1)


def _cover(begin: int, end: int) -> list[tuple[int, int]]:
    """The perfect subtrees that cover the leaves [begin, end), largest first.

    `begin` is a multiple of the largest power of two in the length, as it is for every range RFC 6962 asks for.
    """
    parts = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        parts.append((level, begin >> level))
        begin += 1 << level
    return parts


def _range_hash(begin: int, end: int, read: Read) -> bytes:
    """MTH(D[begin:end])."""
    *lefts, last = _cover(begin, end)
    computed = read(*last)
    for left in reversed(lefts):
        computed = node_hash(read(*left), computed)
    return computed
