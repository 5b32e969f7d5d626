package hotfix_test

import (
	"slices"
	"testing"

	"cau/plugins"
	"cau/plugins/hotfix"
)

func TestR08_AnUpdateThatDidNotApplyIsOfferedAgainOnceAnotherWasInstalledSince(t *testing.T) {
	a, b, c := plugins.Update{ID: "a"}, plugins.Update{ID: "b"}, plugins.Update{ID: "c"}
	done := func(words ...plugins.Outcome) []plugins.Done {
		var out []plugins.Done
		for i := 0; i+1 < len(words); i += 2 {
			out = append(out, plugins.Done{Update: string(words[i]), Outcome: words[i+1]})
		}
		return out
	}
	for _, x := range []struct {
		name string
		done []plugins.Done
		want []string
	}{
		{"nothing was done", nil, nil},
		{"nothing was installed", done("a", plugins.NotApplicable, "b", plugins.AlreadyInstalled, "c", plugins.UpdateFailed), nil},
		{"another was installed since", done("a", plugins.NotApplicable, "b", plugins.Installed, "c", plugins.NotApplicable), []string{"a"}},
		{"the other came before it", done("b", plugins.Installed, "a", plugins.NotApplicable), nil},
		{"another plug-in's was installed since", done("a", plugins.NotApplicable, "of-another", plugins.Installed), []string{"a"}},
		{"it failed, it did not just not apply", done("a", plugins.UpdateFailed, "b", plugins.Installed), nil},
		{"it was tried again, and nothing was installed since", done("a", plugins.NotApplicable, "b", plugins.Installed, "a", plugins.NotApplicable), nil},
		{"a chain: what was tried again let the next one in", done("a", plugins.NotApplicable, "b", plugins.NotApplicable, "c", plugins.Installed, "a", plugins.NotApplicable, "b", plugins.Installed), []string{"a"}},
		{"it went in at last", done("a", plugins.NotApplicable, "b", plugins.Installed, "a", plugins.Installed, "c", plugins.Installed), nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			got, err := (&hotfix.Plugin{}).FollowUps(t.Context(), nil, plugins.FollowUpRequest{Updates: []plugins.Update{a, b, c}, Done: x.done})
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, u := range got {
				ids = append(ids, u.ID)
			}
			if !slices.Equal(ids, x.want) {
				t.Errorf("offered %v, want %v", ids, x.want)
			}
		})
	}
}
