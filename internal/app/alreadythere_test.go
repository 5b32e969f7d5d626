package app

import (
	"slices"
	"testing"

	"cau/plugins"
)

func TestAnUpdateIsMarkedWhoseArticleItsNodeLists(t *testing.T) {
	update := func(kb string) plugins.Update { return plugins.Update{ID: "u", About: &plugins.About{KB: kb}} }
	given := []plugins.Update{update("KB5031234"), update("kb5031235"), update(""), {ID: "nothing is known"}, update("KB503123")}
	var got []string
	for _, u := range marked(given, []string{"KB5031235", "KB5031234", "", "File 1"}) {
		got = append(got, u.ListedAs)
	}
	if want := []string{"KB5031234", "kb5031235", "", "", ""}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if given[0].ListedAs != "" {
		t.Error("what another node shares was changed")
	}
}

func TestOnlyNodesThatGetAnUpdateWithAnArticleAreAsked(t *testing.T) {
	kb := []plugins.Update{{ID: "b"}, {ID: "u", About: &plugins.About{KB: "KB1"}}}
	list := []chosen{
		{scan: plugins.Scan{Updates: map[string][]plugins.Update{"NODE2": kb, "NODE3": {{ID: "u", About: &plugins.About{Title: "x"}}}}}},
		{scan: plugins.Scan{Updates: map[string][]plugins.Update{"NODE1": kb, "NODE2": kb}}},
	}
	if got := withArticles(list); !slices.Equal(got, []string{"NODE1", "NODE2"}) {
		t.Errorf("%q", got)
	}
}
