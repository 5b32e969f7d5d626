package model

import "strings"

// Planted is a folder that somebody else made where ours belongs. Path is a folder below the working folder
// ("" is the working folder itself, "agent", "jobs", `runs\x`), "push" for the push folder or "tasks" for the
// task folder. Kind is "reparse", "owner" or "permissions"; for "tasks" it is "owner" or "permissions".
type Planted struct {
	Node string `json:"node"`
	Path string `json:"path"`
	Kind string `json:"kind"`
}

// planted refuses what would go through a folder that somebody else made. Nothing is repaired (R17). The path
// is relative to the working folder.
func (n *Node) planted(path string) error {
	for _, p := range n.world.scenario.Planted {
		if !is(p.Node, n.name) || p.Path == "push" || p.Path == "tasks" {
			continue
		}
		if bad := key(p.Path); bad == "" || bad == key(path) || strings.HasPrefix(key(path), bad+`\`) {
			return foreignFolder(strings.TrimSuffix(workFolder+`\`+p.Path, `\`), p.Kind)
		}
	}
	return nil
}

// plantedTasks refuses what needs the task folder.
func (n *Node) plantedTasks() error {
	for _, p := range n.world.scenario.Planted {
		if is(p.Node, n.name) && p.Path == "tasks" {
			return &refusal{"refused", `the task folder \cau belongs to somebody else or lets others in. Look at it and remove it.`}
		}
	}
	return nil
}

func (n *Node) plantedPush() error {
	for _, p := range n.world.scenario.Planted {
		if is(p.Node, n.name) && p.Path == "push" {
			return foreignFolder(pushRoot, p.Kind)
		}
	}
	return nil
}

// foreignFolder words the refusals as the scripts do.
func foreignFolder(path, kind string) error {
	switch kind {
	case "reparse":
		return &refusal{"refused", path + " is a reparse point; somebody else made it. Look at it and remove it."}
	case "owner":
		return &refusal{"refused", path + " belongs to S-1-5-21-1004336348-1177238915-682003330-1001, not to SYSTEM or Administrators. Look at it and remove it."}
	}
	return &refusal{"refused", path + " has other permissions than SYSTEM and Administrators alone. Look at it and remove it."}
}

// firstOf is the first error there is.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
