package model

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cau/internal/winnode/agent"
)

// Update is one update of the lab's made-up catalogue.
type Update struct {
	// ID is a GUID in lower case.
	ID       string   `json:"id"`
	Revision int      `json:"revision"`
	Title    string   `json:"title"`
	KBs      []string `json:"kbs,omitempty"`
	Driver   bool     `json:"driver,omitempty"`
	Category string   `json:"category,omitempty"`
	Severity string   `json:"severity,omitempty"`
	Bytes    int64    `json:"bytes"`
	// Seconds is how long it installs; 0 means 30.
	Seconds float64 `json:"seconds,omitempty"`
	// Nodes are those it is for; none means all.
	Nodes []string `json:"nodes,omitempty"`
	// Requires names updates (id or KB) that must be installed completely, with their restart, before it is
	// offered; After those that must be installed at all.
	Requires []string `json:"requires,omitempty"`
	After    []string `json:"after,omitempty"`
	// Supersedes are ids of updates that are not offered any more once this one is offered or installed.
	Supersedes []string `json:"supersedes,omitempty"`
	// Exclusive ones are installed alone, and not while a restart is pending.
	Exclusive bool `json:"exclusive,omitempty"`
	// Eula: its terms were not accepted. AsksUser: it can ask somebody at the desktop.
	Eula     bool `json:"eula,omitempty"`
	AsksUser bool `json:"asks_user,omitempty"`
	// BrowseOnly ones are optional, not assigned; with AutoSelect they are recommended. Hidden ones were hidden by an administrator.
	BrowseOnly bool `json:"browse_only,omitempty"`
	AutoSelect bool `json:"auto_select,omitempty"`
	Hidden     bool `json:"hidden,omitempty"`
	Mandatory  bool `json:"mandatory,omitempty"`
	// Reboot is its behaviour: 0 never, 1 always, 2 can; Restarts tells whether one that can does.
	Reboot   int  `json:"reboot,omitempty"`
	Restarts bool `json:"restarts,omitempty"`
	// Fails is the HRESULT with which its installation fails on FailsOn (none means all), FailsTimes times on
	// each (0 means always). DownloadFails is the same for the download.
	Fails         HResult  `json:"fails,omitempty"`
	DownloadFails HResult  `json:"download_fails,omitempty"`
	FailsOn       []string `json:"fails_on,omitempty"`
	FailsTimes    int      `json:"fails_times,omitempty"`
	// RollsBack: it reports success and is undone by the restart, and so is offered again.
	RollsBack bool `json:"rolls_back,omitempty"`
}

// HResult is an HRESULT in a file, as text in hex ("0x80070643").
type HResult uint32

// UnmarshalJSON reads the text.
func (h *HResult) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return errors.New(`an HRESULT is text like "0x80070643"`)
	}
	n, err := strconv.ParseUint(s, 0, 32)
	if err != nil {
		return fmt.Errorf("an HRESULT: %w", err)
	}
	*h = HResult(n)
	return nil
}

//go:embed catalogue.json
var catalogueFile []byte

// readCatalogue reads the catalogue that comes with the lab.
func readCatalogue() ([]Update, error) {
	var out []Update
	if err := json.Unmarshal(catalogueFile, &out); err != nil {
		return nil, fmt.Errorf("update catalogue: %w", err)
	}
	return out, checkCatalogue(out)
}

func checkCatalogue(list []Update) error {
	seen := map[string]bool{}
	for _, u := range list {
		switch {
		case !guidShape.MatchString(u.ID) || seen[u.ID]:
			return fmt.Errorf("update %q: the id is not a GUID of its own, in lower case", u.ID)
		case u.Title == "" || u.Revision < 1 || u.Bytes < 0 || u.Seconds < 0 || u.Reboot < 0 || u.Reboot > 2:
			return fmt.Errorf("update %q: title, revision, bytes, seconds or reboot are not valid", u.ID)
		}
		seen[u.ID] = true
	}
	return nil
}

// hasUpdate tells whether an update is installed, perhaps by wusa.
func (n *Node) hasUpdate(u *Update) bool {
	return n.installed[key(u.ID)] || slices.ContainsFunc(u.KBs, func(kb string) bool { return n.installed[key(kbName(kb))] })
}

// hasNamed tells whether the update that an id or KB names is installed; complete ones have had their restart.
func (n *Node) hasNamed(name string, complete bool) bool {
	for i := range n.world.catalogue {
		u := &n.world.catalogue[i]
		if is(u.ID, name) || slices.ContainsFunc(u.KBs, func(kb string) bool { return is(kbName(kb), kbName(name)) }) {
			return n.hasUpdate(u) && (!complete || !n.updates.waiting[key(u.ID)])
		}
	}
	return n.installed[key(name)]
}

// applies tells whether the agent knows of an update on this node at all: it is for it, and what it needs is there.
func (n *Node) applies(u *Update) bool {
	if len(u.Nodes) > 0 && !names(u.Nodes, n.name) {
		return false
	}
	for _, name := range u.Requires {
		if !n.hasNamed(name, true) {
			return false
		}
	}
	for _, name := range u.After {
		if !n.hasNamed(name, false) {
			return false
		}
	}
	return true
}

// superseded tells whether another update took this one's place. One that is only offered leaves it to be found by
// those who ask for superseded ones; one that is installed does not.
func (n *Node) superseded(u *Update, include bool) bool {
	for i := range n.world.catalogue {
		by := &n.world.catalogue[i]
		if !names(by.Supersedes, u.ID) {
			continue
		}
		if n.hasUpdate(by) || !include && n.applies(by) && !by.Hidden {
			return true
		}
	}
	return false
}

// search is IUpdateSearcher.Search.
func (n *Node) search(q agent.UpdatesQuery) ([]*Update, error) {
	c, err := readCriteria(q.Criteria)
	if err != nil {
		return nil, err
	}
	if q.ServerSelection == 3 && !slices.Contains(knownServices(), key(q.ServiceID)) {
		return nil, &hresult{wuUnknownService, "The service is not registered with the update agent (0x80248014 WU_E_DS_UNKNOWNSERVICE)."}
	}
	return slices.DeleteFunc(n.offered(q), func(u *Update) bool { return !c.matches(n, u) }), nil
}

// offered is everything that the agent knows of on this node: what is installed and what could be.
func (n *Node) offered(q agent.UpdatesQuery) (found []*Update) {
	for i := range n.world.catalogue {
		u := &n.world.catalogue[i]
		if n.hasUpdate(u) || n.applies(u) && !n.superseded(u, q.IncludePotentiallySuperseded) {
			found = append(found, u)
		}
	}
	return found
}

// checkService refuses a query that names no service.
func checkService(q agent.UpdatesQuery) error {
	if q.ServerSelection < 0 || q.ServerSelection > 3 || q.ServerSelection == 3 && !guidShape.MatchString(key(q.ServiceID)) {
		return &refusal{"refused", "there is no such server selection, or it names no service"}
	}
	return nil
}

// knownServices are Microsoft Update and Windows Update.
func knownServices() []string {
	return []string{"7971f918-a847-4430-9279-4a52d1efe18d", "9482f4b4-e343-43b6-b170-9a65bc822c77"}
}

// autoSelected tells whether Windows Update selects it by itself: what is assigned, and what is recommended.
func (u *Update) autoSelected() bool { return !u.BrowseOnly || u.AutoSelect }

// serviceName is the name of the service that answers a query.
func serviceName(q agent.UpdatesQuery, server string) string {
	switch {
	case q.ServerSelection <= 1 && server != "":
		return "Windows Server Update Service"
	case q.ServerSelection == 3 && key(q.ServiceID) == knownServices()[0]:
		return "Microsoft Update"
	}
	return "Windows Update"
}

// found is an update as the agent describes it.
func (n *Node) found(u *Update) agent.FoundUpdate {
	out := agent.FoundUpdate{
		ID: u.ID, Revision: u.Revision, Title: u.Title, KBs: []string{}, Type: 1, Categories: []string{}, Severity: u.Severity,
		MaxBytes: u.Bytes, Downloaded: n.updates.downloaded[key(u.ID)], Mandatory: u.Mandatory, EulaAccepted: !u.Eula,
		CanAskUser: u.AsksUser, Reboot: u.Reboot, BrowseOnly: u.BrowseOnly, AutoSelect: u.autoSelected(), Installed: n.hasUpdate(u), Superseded: append([]string{}, u.Supersedes...),
	}
	for _, kb := range u.KBs {
		out.KBs = append(out.KBs, strings.TrimPrefix(kbName(kb), "KB"))
	}
	if u.Category != "" {
		out.Categories = append(out.Categories, u.Category)
	}
	if u.Driver {
		out.Type = 2
	}
	if u.Exclusive {
		out.Impact = 2
	}
	return out
}
