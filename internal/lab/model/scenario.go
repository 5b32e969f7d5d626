package model

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

// Scenario is what goes wrong in a lab, as data. The zero value is a healthy cluster.
type Scenario struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	// S2D gives the cluster Storage Spaces Direct.
	S2D bool `json:"s2d,omitempty"`
	// StaticQuorum turns dynamic quorum off; NoWitness leaves the cluster without a witness.
	StaticQuorum bool `json:"static_quorum,omitempty"`
	NoWitness    bool `json:"no_witness,omitempty"`
	// ForeignRun is the id of an Updating Run that somebody else has on the cluster.
	ForeignRun string `json:"foreign_run,omitempty"`
	// PendingRestart names nodes that wait for a restart from the beginning.
	PendingRestart []string `json:"pending_restart,omitempty"`
	// NeverReturns names nodes that do not come back from a restart.
	NeverReturns []string `json:"never_returns,omitempty"`
	// StuckOn names nodes whose first role does not move away.
	StuckOn []string `json:"stuck_on,omitempty"`
	// Exits are installers that end with another code than their file says.
	Exits []Exit `json:"exits,omitempty"`
}

// Exit makes the installation of a file, by its name, end with Code on Node; an empty Node means all.
type Exit struct {
	Node string `json:"node,omitempty"`
	File string `json:"file"`
	Code int64  `json:"code"`
}

//go:embed scenarios/*.json
var scenarioFiles embed.FS

// Scenarios are all scenarios that come with the lab, by name.
func Scenarios() ([]Scenario, error) {
	entries, err := scenarioFiles.ReadDir("scenarios")
	if err != nil {
		return nil, fmt.Errorf("scenarios: %w", err)
	}
	out := make([]Scenario, 0, len(entries))
	for _, e := range entries {
		text, err := scenarioFiles.ReadFile(path.Join("scenarios", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("scenarios: %w", err)
		}
		s, err := ParseScenario(text)
		if err != nil {
			return nil, fmt.Errorf("scenario file %s: %w", e.Name(), err)
		}
		out = append(out, s)
	}
	return out, nil
}

// ParseScenario reads one scenario; a field that it does not know is an error.
func ParseScenario(text []byte) (Scenario, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var s Scenario
	if err := d.Decode(&s); err != nil {
		return Scenario{}, err
	}
	if s.Name == "" || s.Description == "" {
		return Scenario{}, fmt.Errorf("a scenario needs a name and a description")
	}
	return s, nil
}

// FindScenario gives the scenario of that name; an empty name means "default".
func FindScenario(name string) (Scenario, error) {
	if name == "" {
		name = "default"
	}
	all, err := Scenarios()
	if err != nil {
		return Scenario{}, err
	}
	names := make([]string, 0, len(all))
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Scenario{}, fmt.Errorf("there is no scenario %q; there are: %s", name, strings.Join(names, ", "))
}

func names(list []string, node string) bool {
	for _, n := range list {
		if strings.EqualFold(n, node) {
			return true
		}
	}
	return false
}
