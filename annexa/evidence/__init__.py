"""Evidence: content-addressed blobs, the ledger, its Merkle tree and signed checkpoints."""
