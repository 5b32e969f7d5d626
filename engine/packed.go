package engine

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	// MaxPacked bounds a packed state in bytes: in base64 it fits into one fact.
	MaxPacked = 700 << 10
	// maxUnpacked bounds what is unpacked, so that a damaged or hostile one fills no memory (R33).
	maxUnpacked = 256 << 20
)

// packed is a state with what says whether another program reads it as it was meant.
type packed struct {
	Shape string `json:"shape"`
	State State  `json:"state"`
}

// ErrOtherShape says that a state was packed by a program whose states hold other fields.
var ErrOtherShape = errors.New("the state was written by another version of cau")

// PackState is the state as a run on another host can begin with it.
func PackState(s *State) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	err := json.NewEncoder(z).Encode(packed{Shape: StateShape(), State: *s})
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, fmt.Errorf("pack the state: %w", err)
	}
	if b.Len() > MaxPacked {
		return nil, fmt.Errorf("pack the state: it takes %d bytes, more than %d", b.Len(), MaxPacked)
	}
	return b.Bytes(), nil
}

// UnpackState reads a packed state. One of another shape is ErrOtherShape.
func UnpackState(data []byte) (State, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return State{}, fmt.Errorf("unpack the state: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxUnpacked+1))
	switch {
	case err != nil:
		return State{}, fmt.Errorf("unpack the state: %w", err)
	case len(raw) > maxUnpacked:
		return State{}, fmt.Errorf("unpack the state: it is larger than %d bytes", maxUnpacked)
	}
	var p packed
	if err := json.Unmarshal(raw, &p); err != nil {
		return State{}, fmt.Errorf("unpack the state: %w", err)
	}
	if p.Shape != StateShape() {
		return State{}, ErrOtherShape
	}
	return p.State, nil
}

// restore begins with a packed state. The lease that was seen then is the one to go on from: whoever holds it now has this
// run, and is to be replaced.
func (s *State) restore(f Fact) error {
	from, err := UnpackState(f.Data.Packed)
	if err != nil {
		return err
	}
	if from.Run != s.Run || s.Facts > 0 || len(from.Nodes) != len(s.Nodes) {
		return &MisplacedFactError{Fact: Fact{Kind: f.Kind}}
	}
	for i := range from.Nodes {
		if from.Nodes[i].Name != s.Nodes[i].Name {
			return &MisplacedFactError{Fact: Fact{Kind: f.Kind, Node: from.Nodes[i].Name}}
		}
	}
	*s = from
	if f.Data.Lease > 0 {
		s.Lease = &LeaseState{Epoch: f.Data.Lease, Holder: f.Data.Holder}
	}
	s.Facts = 1 // of this journal, as a snapshot's place is one in it
	return nil
}
