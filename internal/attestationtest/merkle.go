package attestationtest

import (
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// merkleTree is an append-only Merkle tree (RFC 6962, 2.1) that remembers the
// root of each perfect subtree. It is not safe for concurrent use.
type merkleTree struct {
	leaves *compact.Range
	nodes  map[compact.NodeID][]byte
}

func newMerkleTree() *merkleTree {
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	return &merkleTree{leaves: factory.NewEmptyRange(0), nodes: make(map[compact.NodeID][]byte)}
}

// size returns the number of leaves.
func (t *merkleTree) size() uint64 { return t.leaves.End() }

// append adds a leaf and returns its index, counted from 0.
func (t *merkleTree) append(leaf []byte) (uint64, error) {
	index := t.size()
	hash := rfc6962.DefaultHasher.HashLeaf(leaf)
	t.nodes[compact.NewNodeID(0, index)] = hash
	remember := func(id compact.NodeID, hash []byte) { t.nodes[id] = hash }
	if err := t.leaves.Append(hash, remember); err != nil {
		return 0, fmt.Errorf("appending leaf %d: %w", index, err)
	}
	return index, nil
}

// root returns the root hash over all leaves.
func (t *merkleTree) root() ([]byte, error) {
	if t.size() == 0 {
		return rfc6962.DefaultHasher.EmptyRoot(), nil
	}
	root, err := t.leaves.GetRootHash(nil)
	if err != nil {
		return nil, fmt.Errorf("computing root hash: %w", err)
	}
	return root, nil
}

// inclusion returns the audit path (RFC 6962, 2.1.1) from the leaf to the root
// over all leaves.
func (t *merkleTree) inclusion(index uint64) ([][]byte, error) {
	path, err := proof.Inclusion(index, t.size())
	if err != nil {
		return nil, fmt.Errorf("proving inclusion of leaf %d: %w", index, err)
	}
	hashes := make([][]byte, len(path.IDs))
	for i, id := range path.IDs {
		hashes[i] = t.nodes[id]
	}
	hashes, err = path.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
	if err != nil {
		return nil, fmt.Errorf("proving inclusion of leaf %d: %w", index, err)
	}
	return hashes, nil
}
