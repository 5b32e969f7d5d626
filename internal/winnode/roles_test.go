package winnode_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cau/engine"
	"cau/internal/winnode/agent"
)

func TestR14_ARoleMayGoWhereAllOfItsResourcesMay(t *testing.T) {
	s, f := newSite(t, "N1")
	s.on(agent.OpNodeRoles, give(agent.NodeRoles{Roles: []agent.NodeRole{
		{Name: "VM\x1b1", Resources: []agent.RoleResource{{Owners: []string{"N1", "N2", "N3"}}, {Owners: []string{"n2", "N1"}}}},
		{Name: "FS", Resources: []agent.RoleResource{{Owners: []string{"N1"}}, {Owners: []string{"N2"}}}},
		{Name: "VM2", Resources: []agent.RoleResource{{Owners: []string{"N1"}}, {Owners: nil}}},
		{Name: "Empty"},
	}}))
	got, err := f.Node("N1").Roles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []engine.RoleView{
		{Name: "VM 1", Owners: []string{"N1", "N2"}, OwnersKnown: true},
		{Name: "FS", Owners: []string{}, OwnersKnown: true},
		{Name: "VM2"},
		{Name: "Empty"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	s.on(agent.OpNodeRoles, give(struct{}{}))
	if got, err := f.Node("N1").Roles(t.Context()); err == nil {
		t.Errorf("no answer became %+v", got)
	}
}

func TestWhatIsLockedAndKeptApartInTheEnginesWords(t *testing.T) {
	s, f := newSite(t, "N1", "N2")
	c := threeUp()
	c.AntiAffinityEnforced = true
	c.AffinityRules = []agent.AffinityRule{{Name: "Apart", Type: 4, Groups: []string{"vm2"}}, {Name: "Sites", Type: 3, Groups: []string{"VM2"}}, {Name: "Together", Type: 2, Groups: []string{"VM2"}}}
	c.Groups = []agent.Group{{Name: "VM1", StatusInformation: 1 | 4, AntiAffinity: []string{"A\x07"}}, {Name: "VM2", Locked: 1}, {Name: "VM3", StatusInformation: 2}}
	s.on(agent.OpClusterGet, give(c))
	v, err := f.Describe(t.Context(), "")
	if err != nil || !v.ApartEnforced {
		t.Fatal(v, err)
	}
	want := []engine.GroupView{{Name: "VM1", Locked: true, Apart: []string{"A"}}, {Name: "VM2", Locked: true, Apart: []string{"Apart", "Sites"}}, {Name: "VM3"}}
	if d := cmp.Diff(want, v.Groups); d != "" {
		t.Error(d)
	}
}

func TestMachinesOutsideTheClusterAndFilesOfTheNodesOwnSharesAreFound(t *testing.T) {
	const a, b, c, d, e = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222", "33333333-3333-3333-3333-333333333333", "44444444-4444-4444-4444-444444444444", "55555555-5555-5555-5555-555555555555"
	s, f := newSite(t, "N1")
	s.on(agent.OpNodeResidents, give(agent.Residents{
		HyperV: true, Clustered: []string{"{" + b + "}"}, OpenCount: 9,
		Machines: []agent.VirtualMachine{
			{ID: "N1", Name: "N1", State: 2},
			{ID: a, Name: "DC\x1b1", State: 2},
			{ID: b, Name: "clustered", State: 2},
			{ID: c, Name: "off", State: 3},
			{ID: d, Name: "saved", State: 32769},
			{ID: e, Name: "paused", State: 32768},
		},
		OpenFiles: []agent.OpenFile{
			{Scope: "*", Path: `D:\a.txt`, Client: "c1"},
			{Scope: "n1", Path: `D:\b.txt`, Client: "c2"},
			{Scope: "FS1", Path: `C:\ClusterStorage\x`},
			{Scope: "*", Path: `\srvsvc`},
			{Scope: "*", Path: `C:\ClusterStorage\y`, Instance: 2},
		},
	}))
	got, err := f.Node("N1").Residents(t.Context())
	want := engine.ResidentsView{Machines: []string{"DC 1", "paused"}, OpenFiles: []string{`D:\a.txt from c1`, `D:\b.txt from c2`}, MoreOpenFiles: true}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	s.on(agent.OpNodeResidents, give(map[string]any{"machines": nil}))
	if got, err := f.Node("N1").Residents(t.Context()); err == nil {
		t.Errorf("no answer became %+v", got)
	}
}
