package live

import (
	"reflect"
	"slices"
	"time"

	"cau/engine"
	"cau/internal/message"
	"cau/tui/backend"
	"cau/tui/glyph"
	"cau/tui/relay"
	"cau/tui/theme"
)

// maxLog bounds the lines that are kept to scroll back; the journal has all of them.
const maxLog = 5000

// Look is how things are drawn and said. Theme may change while the program runs.
type Look struct {
	Texts  message.Texts
	Glyphs glyph.Set
	Theme  *theme.Theme
	// Now is the wall clock; its location is the one that times are shown in.
	Now func() time.Time
}

// Board is one run's view. Use it from one goroutine.
type Board struct {
	look Look
	run  string
	// where says where the run lives (R28), when this program started it.
	where string

	state engine.State
	plan  *engine.Plan
	// history is what earlier runs took; eta is computed from it for every drawing.
	history engine.History
	eta     engine.ETA
	alive   bool
	err     error
	log     []backend.LogLine
	over    bool

	clock    clock
	versions map[string]int
	rows     map[string]cachedRow

	// chosen is the node that the updates pane is about; until the user chooses one it follows the run.
	chosen  string
	follows bool
	top     int
	// logOnly: the log takes the whole lower part. back is how many lines the log is scrolled up.
	logOnly bool
	back    int
	// Focused is set while keys act on the nodes and not on something else of the page.
	Focused bool
}

// New is the empty board of a run. where may be empty.
func New(look Look, run, where string) *Board {
	return &Board{look: look, run: run, where: where, follows: true, Focused: true, alive: true, versions: map[string]int{}, rows: map[string]cachedRow{}}
}

// Take brings the board up to date.
func (b *Board) Take(batch relay.Batch) {
	if batch.Closed {
		b.over = true
	}
	snap := batch.Snapshot
	b.err = snap.Err
	if snap.Plan != nil {
		b.plan, b.history = snap.Plan, snap.History
	}
	b.log = slices.Concat(b.log, snap.Lines)
	b.log = b.log[max(0, len(b.log)-maxLog):]
	if b.back > 0 {
		b.back += len(snap.Lines)
	}
	if snap.State.Run != "" {
		b.takeState(snap)
	}
	for _, l := range snap.Lines {
		b.clock.saw(l.Time, b.look.Now())
	}
}

func (b *Board) takeState(snap backend.Snapshot) {
	for i := range snap.State.Nodes {
		n := &snap.State.Nodes[i]
		if old := b.state.Node(n.Name); old == nil || !reflect.DeepEqual(*old, *n) {
			b.versions[n.Name]++
		}
	}
	b.state, b.alive = snap.State, snap.Alive
	b.clock.hold(b.look.Now())
	b.clock.speed = 0
	switch {
	case !b.Running():
	case !b.state.Simulated:
		b.clock.speed = 1
	case b.plan != nil:
		b.clock.speed = b.plan.Speed
	}
	b.clock.real = !b.state.Simulated
	b.clock.sawState(&b.state, b.look.Now())
	if b.follows {
		b.chosen = active(&b.state)
	}
}

// active is the node that something happens on, else the one that something happened on last.
func active(s *engine.State) string {
	name, ended := "", time.Time{}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Status == engine.NodeUpdating {
			return n.Name
		}
		if name == "" || n.Ended.After(ended) {
			name, ended = n.Name, n.Ended
		}
	}
	return name
}

// Known tells whether anything of the run was seen.
func (b *Board) Known() bool { return b.state.Run != "" }

// State is the newest state.
func (b *Board) State() *engine.State { return &b.state }

// Plan is the run's plan; nil before the first news.
func (b *Board) Plan() *engine.Plan { return b.plan }

// Err is why there is no news, or nil.
func (b *Board) Err() error { return b.err }

// Ended tells whether the run has ended.
func (b *Board) Ended() bool { return b.state.Status.Ended() }

// Running tells whether a process is carrying the run on.
func (b *Board) Running() bool { return b.Known() && !b.Ended() && b.alive && !b.over }

// Lost tells whether the run has not ended although nothing carries it on.
func (b *Board) Lost() bool { return b.Known() && !b.Ended() && !b.Running() }

// Chosen is the chosen node's name.
func (b *Board) Chosen() string { return b.chosen }

// Move chooses another node.
func (b *Board) Move(by int) {
	if len(b.state.Nodes) == 0 {
		return
	}
	at := slices.IndexFunc(b.state.Nodes, func(n engine.NodeRun) bool { return n.Name == b.chosen })
	at = min(len(b.state.Nodes)-1, max(0, at+by))
	b.chosen, b.follows = b.state.Nodes[at].Name, false
}

// Stay keeps the chosen node chosen, wherever the run goes on.
func (b *Board) Stay() { b.follows = false }

// ToggleLog gives the lower part to the log, or takes it back.
func (b *Board) ToggleLog() { b.logOnly = !b.logOnly }

// ScrollLog scrolls the log by lines; positive is back in time. Drawing keeps it within the log.
func (b *Board) ScrollLog(by int) { b.back = max(0, b.back+by) }
