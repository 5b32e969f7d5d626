package winnode_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

func TestTheClusterInTheEnginesWords(t *testing.T) {
	s, f := newSite(t, "N1", "N2")
	s.on(agent.OpClusterGet, give(map[string]any{
		"name": "FC\x1b1", "dynamic_quorum": true, "witness_weight": 1, "witness_online": true, "s2d": true,
		"nodes": []map[string]any{
			{"name": "N1", "state": 2, "drain_status": 1, "status_information": 4, "dynamic_weight": 1, "fault_domain": []string{"Rack:R1", "site: Lund\x07 ", "Site:Malmo"}},
			{"name": "N2", "state": 0, "drain_status": 0, "dynamic_weight": 1, "fault_domain": []string{"Site:", "Site"}},
			{"name": "N3", "state": uint32(4294967295), "drain_status": 0, "status_information": 2, "dynamic_weight": 0},
			{"name": "N4", "state": 77, "drain_status": 0},
		},
		"groups":         []map[string]any{{"name": "VM\r\n1", "owner": "N2", "state": uint32(4294967295), "core": false}, {"name": "Cluster Group", "owner": "N1", "state": 0, "core": true}},
		"access_points":  []map[string]any{{"group": "FS\x07", "name": "fs1"}, {"group": "FS", "address": "10.0.0.9"}},
		"shared_volumes": []map[string]any{{"name": "CSV1", "owner": "N2", "state": 4}},
	}))
	got, err := f.Describe(t.Context(), "N1")
	if err != nil {
		t.Fatal(err)
	}
	want := engine.ClusterView{
		Name: "FC 1", DynamicQuorum: true, WitnessWeight: 1, WitnessOnline: true, S2D: true, AnsweredByNode: "N2",
		Nodes: []engine.MemberView{
			{Name: "N1", State: engine.NodePaused, DrainStatus: engine.DrainInProgress, StatusInformation: 4, DynamicWeight: 1, Site: "Lund"},
			{Name: "N2", DynamicWeight: 1},
			{Name: "N3", State: engine.NodeUnknown, StatusInformation: 2},
			{Name: "N4", State: engine.NodeUnknown},
		},
		Groups:        []engine.GroupView{{Name: "VM 1", Owner: "N2", State: -1}, {Name: "Cluster Group", Owner: "N1", Core: true}},
		AccessPoints:  []engine.AccessPoint{{Role: "FS", Name: "fs1"}, {Role: "FS", Address: "10.0.0.9"}},
		SharedVolumes: []engine.GroupView{{Name: "CSV1", Owner: "N2", State: 4}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestANodeIsDescribedByItsPeers(t *testing.T) {
	s, f := newSite(t, "N1", "N2", "N3", "N4")
	describe := func(about, want string) {
		t.Helper()
		v, err := f.Describe(t.Context(), about)
		if err != nil || v.AnsweredByNode != want {
			t.Errorf("about %s: %s answered, want %s; %v", about, v.AnsweredByNode, want, err)
		}
	}
	four := threeUp()
	four.Nodes = append(four.Nodes, agent.Member{Name: "N4"})
	s.on(agent.OpClusterGet, give(four))
	describe("n1", "N2")
	describe("N2", "N1")
	describe("N3", "N1") // who answered last is asked first

	s.at("N1").fail = []error{errAway}
	describe("N3", "N2") // one that is away is passed over
	if s.at("N3").count("upload") != 0 {
		t.Error("the node under maintenance was asked about itself")
	}

	paused := four
	paused.Nodes = slices.Clone(four.Nodes)
	paused.Nodes[1].State = 2
	s.on(agent.OpClusterGet, give(paused))
	describe("N3", "N2")
	describe("N3", "N1") // now N2 is known to be paused: others first

	s.at("N1").ops[agent.OpClusterGet] = refuse("missing", 0)
	describe("N3", "N4") // outside the cluster
	s.at("N4").ops[agent.OpClusterGet] = refuse("hresult", 0x800706BA)
	describe("N3", "N2") // its own Cluster service is away
}

func TestANodeThatIsDownItselfIsPassedOverAndOneThatIsAskedAboutIsToldOf(t *testing.T) {
	s, f := newSite(t, "N1", "N2", "N3")
	s.on(agent.OpClusterGet, give(threeUp()))
	s.at("N2").ops[agent.OpClusterGet] = refuse("win32", 5050)
	if v, err := f.Describe(t.Context(), "N1"); err != nil || v.AnsweredByNode != "N3" {
		t.Errorf("%s answered; %v", v.AnsweredByNode, err)
	}
	s.on(agent.OpNodePause, refuse("win32", 5050))
	err := f.Pause(t.Context(), "N1", engine.DrainRoles)
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != 5050 || e.Node != "N1" {
		t.Errorf("a node that is down is paused with %v", err)
	}
}

func TestWhenNoPeerAnswersTheFirstCauseIsTold(t *testing.T) {
	s, f := newSite(t, "N1", "N2", "N3")
	s.at("N2").fail = []error{errAway}
	s.at("N3").ops[agent.OpClusterGet] = refuse("win32", 1722)
	_, err := f.Describe(t.Context(), "N1")
	var e *fault.Error
	if !errors.As(err, &e) || e.Node != "N2" || s.at("N1").shells != 0 {
		t.Errorf("%v", err)
	}
	if _, err := f.LosesQuorum(t.Context(), "N1"); err == nil {
		t.Error("nobody could say that quorum survives")
	}
}

func TestANodeThatIsAloneAnswersForItself(t *testing.T) {
	s, f := newSite(t, "N1")
	s.on(agent.OpClusterGet, give(threeUp()))
	if v, err := f.Describe(t.Context(), "N1"); err != nil || v.AnsweredByNode != "N1" {
		t.Error(v, err)
	}
}

func TestClusterActsCarryTheirArgumentsAndGoToAPeer(t *testing.T) {
	s, f := newSite(t, "N1", "N2")
	var got string
	record := func(args json.RawMessage) (any, *agent.OpError) { got = string(args); return struct{}{}, nil }
	for _, op := range []string{agent.OpNodePause, agent.OpNodeResume, agent.OpStorageMaintenance} {
		s.on(op, record)
	}
	for _, c := range []struct {
		do   func() error
		op   string
		want string
	}{
		{func() error { return f.Pause(t.Context(), "N1", engine.DrainRoles) }, agent.OpNodePause, `{"node":"N1","drain_type":1}`},
		{func() error { return f.Pause(t.Context(), "N1", engine.DrainNone) }, agent.OpNodePause, `{"node":"N1","drain_type":0}`},
		{func() error { return f.Pause(t.Context(), "N1", engine.DrainForced) }, agent.OpNodePause, `{"node":"N1","drain_type":2}`},
		{func() error { return f.Resume(t.Context(), "N1", engine.FailbackNone) }, agent.OpNodeResume, `{"node":"N1","failback_type":0}`},
		{func() error { return f.Resume(t.Context(), "N1", engine.FailbackImmediate) }, agent.OpNodeResume, `{"node":"N1","failback_type":1}`},
		{func() error { return f.Resume(t.Context(), "N1", engine.FailbackPolicy) }, agent.OpNodeResume, `{"node":"N1","failback_type":2}`},
		{func() error { return f.StorageMaintenance(t.Context(), "N1", true) }, agent.OpStorageMaintenance, `{"node":"N1","enable":true}`},
	} {
		if err := c.do(); err != nil || got != c.want {
			t.Errorf("%s: %s, want %s; %v", c.op, got, c.want, err)
		}
		if s.at("N1").shells != 0 || s.at("N2").count(c.op) == 0 {
			t.Errorf("%s did not go to the peer", c.op)
		}
	}
	if err := f.Resume(t.Context(), "N1", "Sometimes"); err == nil {
		t.Error("an unknown failback mode was sent")
	}
	got = ""
	if err := f.Pause(t.Context(), "N1", ""); err == nil || got != "" {
		t.Errorf("R15: a pause that does not say how was sent: %v, %s", err, got)
	}
}

func TestAClusterRefusalIsFinalAndNamesTheNode(t *testing.T) {
	s, f := newSite(t, "N1", "N2", "N3")
	for code, want := range map[int64]fault.Code{5970: 5970, 5987: 5987, 0x80071763: 5987, 5042: 5042} {
		s.on(agent.OpNodePause, refuse("hresult", code))
		err := f.Pause(t.Context(), "N1", engine.DrainRoles)
		var e *fault.Error
		if !errors.As(err, &e) || e.Node != "N1" || e.Code != want || !strings.Contains(err.Error(), "asked N2") {
			t.Errorf("%d: %v", code, err)
		}
	}
	if n := s.at("N3").count(agent.OpNodePause); n != 0 {
		t.Errorf("another peer was asked %d times to do what the cluster refuses", n)
	}
	s.on(agent.OpNodeResume, refuse("win32", 5058))
	if err := f.Resume(t.Context(), "N1", engine.FailbackImmediate); err != nil {
		t.Errorf("a node that is not paused: %v", err)
	}
}

func TestR14_QuorumIsTheClustersOwnAnswerOrAnError(t *testing.T) {
	s, f := newSite(t, "N1", "N2")
	for _, c := range []struct {
		data any
		want bool
		fail bool
	}{{agent.OfflineCheck{LosesQuorum: true}, true, false}, {agent.OfflineCheck{}, false, false}, {struct{}{}, true, true}, {nil, true, true}} {
		s.on(agent.OpClusterOffline, give(c.data))
		got, err := f.LosesQuorum(t.Context(), "N1")
		if got != c.want || (err != nil) != c.fail {
			t.Errorf("%v: %v %v", c.data, got, err)
		}
	}
}

func TestR14_StorageThatIsNotWhollyHealthyIsNamed(t *testing.T) {
	s, f := newSite(t, "N1", "N2")
	var jobs []agent.StorageJob
	for state := range 14 {
		jobs = append(jobs, agent.StorageJob{Name: "J" + string(rune('a'+state)), State: state, Percent: 5})
	}
	s.on(agent.OpStorageGet, give(agent.Storage{
		VirtualDisks: []agent.VirtualDisk{
			{Name: "good", Operational: []int{2}},
			{Name: "repairing", Operational: []int{2, 11}},
			{Name: "warning", Health: 1, Operational: []int{2}},
			{Name: "silent", Operational: nil},
		},
		Jobs:         jobs,
		FaultDomains: []agent.FaultDomain{{Name: "N1", Operational: []int{2, 27}}, {Name: "N2", Operational: []int{2}}},
	}))
	v, err := f.Storage(t.Context(), "N1")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"repairing (health 0, operational [2 11])", "warning (health 1, operational [2])", "silent (health 0, operational [])"}, v.Unhealthy); d != "" {
		t.Error(d)
	}
	if got := strings.Join(v.Jobs, ";"); strings.Contains(got, "Jh") || strings.Contains(got, "Jk") || len(v.Jobs) != 10 || !strings.Contains(got, "Jf (5 %)") {
		t.Error(got) // 7 to 10 are over; suspended (5) is not
	}
	if d := cmp.Diff([]string{"N1"}, v.InMaintenance); d != "" {
		t.Error(d)
	}
}

func TestR12_EveryNodeIsAskedForForeignRuns(t *testing.T) {
	s, f := newSite(t, "N1", "N2", "N3")
	s.on(agent.OpCauRuns, give(agent.CauRuns{Available: true, Runs: []string{"{run}"}}))
	s.at("N1").ops[agent.OpCauRuns] = give(agent.CauRuns{Available: true, Runs: []string{"{run}"}, Nodes: []string{"{lock}"}})
	s.at("N3").ops[agent.OpCauRuns] = give(agent.CauRuns{})
	got, err := f.ForeignRuns(t.Context(), "N1")
	if d := cmp.Diff([]engine.ForeignRun{{ID: "{run}"}, {ID: "{lock}", Node: "N1"}}, got); d != "" || err != nil {
		t.Error(d, err)
	}

	s.on(agent.OpCauRuns, give(agent.CauRuns{Available: true}))
	if got, err := f.ForeignRuns(t.Context(), "N1"); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
	s.at("N2").fail = []error{errAway}
	if _, err := f.ForeignRuns(t.Context(), "N1"); err == nil {
		t.Error("a node that could not be asked counts as free")
	}
	down := threeUp()
	down.Nodes[1].State = 1
	s.on(agent.OpClusterGet, give(down))
	if _, err := f.Describe(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	s.at("N2").fail = []error{errAway}
	if _, err := f.ForeignRuns(t.Context(), "N1"); err != nil {
		t.Errorf("a node that the cluster sees down was asked: %v", err)
	}
	if !slices.Equal(s.at("N2").calls(), []string{"upload", agent.OpCauRuns, agent.OpCauRuns, "failed"}) {
		t.Error(s.at("N2").calls())
	}
}

func TestR14_APeerThatIsNoWorkingMemberByItsOwnViewIsNotBelieved(t *testing.T) {
	for name, self := range map[string]map[string]any{
		"joining":  {"name": "N2", "state": 3},
		"down":     {"name": "N2", "state": 1},
		"isolated": {"name": "N2", "state": 0, "status_information": 1},
		"evicted":  {"name": "N9", "state": 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := newSite(t, "N1", "N2", "N3")
			s.at("N2").ops[agent.OpClusterGet] = give(map[string]any{
				"name": "OLD", "s2d": true, "witness_weight": 1, "nodes": []map[string]any{self, {"name": "N1", "state": 0, "dynamic_weight": 5}, {"name": "N3", "state": 0}},
			})
			s.at("N3").ops[agent.OpClusterGet] = give(map[string]any{"name": "FC1", "nodes": []map[string]any{{"name": "N3", "state": 2}, {"name": "N1", "state": 2}}})
			v, err := f.Describe(t.Context(), "N1")
			if err != nil || v.AnsweredByNode != "N3" || v.Name != "FC1" || v.S2D || v.WitnessWeight != 0 || v.Member("N1").State != engine.NodePaused || v.Member("N1").DynamicWeight != 0 {
				t.Errorf("%+v %v", v, err)
			}
			s.at("N3").ops[agent.OpClusterGet] = refuse("win32", 1062)
			if _, err := f.Describe(t.Context(), "N1"); err == nil || !strings.Contains(err.Error(), "is not used") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestR14_AlreadyPausedIsOursOnlyWhenAnEarlierAnswerIsLost(t *testing.T) {
	lost := errors.New("reset")
	for _, code := range []int64{5070, 5962, 0x80070000 + 5070} {
		s, f := newSite(t, "N1", "N2", "N3")
		s.at("N2").ops[agent.OpNodePause] = give(struct{}{})
		s.at("N3").ops[agent.OpNodePause] = refuse("win32", code)
		s.at("N2").lose = []error{lost}
		if err := f.Pause(t.Context(), "N1", engine.DrainRoles); err != nil {
			t.Errorf("%d after a lost answer: %v", code, err)
		}
		s.at("N2").ops[agent.OpNodePause] = refuse("win32", code)
		var e *fault.Error
		if err := f.Pause(t.Context(), "N1", engine.DrainRoles); !errors.As(err, &e) {
			t.Errorf("%d without one: %v", code, err)
		}
	}
}
