package criteria_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"cau/plugins/windowsupdate/criteria"
)

const id = "12345678-9abc-def0-1234-56789abcdef0"

func TestWhatTheDocumentationShowsIsRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1":      "IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1",
		"( IsInstalled = 0 and IsHidden = 0 )":                                   "IsInstalled=0 and IsHidden=0",
		" ( IsHidden = 1 )":                                                      "IsHidden=1",
		"(isinstalled=0 AND type!='DRIVER') Or (RebootRequired=1)":               "(IsInstalled=0 and Type!='Driver') or (RebootRequired=1)",
		"UpdateID='12345678-9ABC-def0-1234-56789abcdef0' and RevisionNumber=100": "UpdateID='" + id + "' and RevisionNumber=100",
		"(UpdateID='" + id + "') and (RevisionNumber=007)":                       "UpdateID='" + id + "' and RevisionNumber=7",
		"UpdateID!='" + id + "'":                                                 "UpdateID!='" + id + "'",
		"CategoryIDs Contains '" + id + "'":                                      "CategoryIDs contains '" + id + "'",
		"DeploymentAction='optionalinstallation' and IsPresent=1":                "DeploymentAction='OptionalInstallation' and IsPresent=1",
		"AutoSelectOnWebSites=1\tand BrowseOnly=0":                               "AutoSelectOnWebSites=1 and BrowseOnly=0",
		"IsInstalled=0 or IsHidden=1":                                            "(IsInstalled=0) or (IsHidden=1)",
	} {
		q, err := criteria.Parse(text)
		if err != nil || q.String() != want || q.Doubled {
			t.Errorf("%s\n got %s, doubled %t, %v\nwant %s", text, q, q.Doubled, err, want)
		}
	}
}

func TestEveryMistakeHasItsColumnAndWhatIsAllowedThere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text             string
		column           int
		problem, allowed string
	}{
		{"", 1, "a criterion is missing", "IsInstalled=0"},
		{"   ", 4, "a criterion is missing", "IsInstalled=0"},
		{"IsInstaled=0", 1, `no criterion "IsInstaled"`, "did you mean IsInstalled?"},
		{"IsInstalled=0 and Colour='red'", 19, `no criterion "Colour"`, "RebootRequired"},
		{"IsInstalled 0", 13, `"0" is no operator`, "IsInstalled takes =: IsInstalled=0 or IsInstalled=1"},
		{"IsInstalled", 12, "the operator is missing", "IsInstalled takes ="},
		{"IsInstalled!=1", 12, "IsInstalled does not take !=", "IsInstalled takes ="},
		{"IsInstalled contains 1", 13, "does not take contains", "IsInstalled takes ="},
		{"Type='Software' and CategoryIDs='" + id + "'", 32, "CategoryIDs does not take =", "contains"},
		{"IsInstalled=", 13, "the value is missing", "0 or 1"},
		{"IsInstalled=2", 13, "2 is neither 0 nor 1", "0 or 1"},
		{"IsInstalled=-1", 13, "-1 is out of range", "0 or 1"},
		{"IsInstalled='0'", 13, "is in quotes", "without quotes"},
		{"IsInstalled=true", 13, `"true" is no value`, "0 or 1"},
		{"IsInstalled=0x1", 13, `"0x1" is no value`, "0 or 1"},
		{"Type=Software", 6, `"Software" is no value`, "'Software', 'Driver'"},
		{"Type=1", 6, "1 has no quotes", "'Software', 'Driver'"},
		{"Type='Firmware'", 6, "'Firmware' is no value of Type", "'Software', 'Driver'"},
		{"Type=\"Driver\"", 6, `"\"" is no value`, "'Software', 'Driver'"},
		{"Type='Driver", 13, "the quote at column 6 is not closed", "'Driver'"},
		{"UpdateID='{" + id + "}'", 10, "is no GUID", "in single quotes"},
		{"UpdateID='" + id + "' and RevisionNumber=2147483648", 68, "out of range", "whole number"},
		{"RevisionNumber=1", 1, "RevisionNumber needs UpdateID=", "UpdateID='…'"},
		{"IsHidden=0 and RevisionNumber=1 or UpdateID='" + id + "'", 16, "RevisionNumber needs UpdateID=", "in one group"},
		{"UpdateID!='" + id + "' and RevisionNumber=1", 54, "cannot be combined with UpdateID!=", "in one group"},
		{"(IsInstalled=0) and (IsHidden=0 or IsHidden=1)", 33, "top level alone", "between parentheses"},
		{"(IsInstalled=0", 15, "the parenthesis at column 1 is not closed", `"and" or ")"`},
		{"IsInstalled=0)", 14, "closes nothing", `"and", "or"`},
		{"IsInstalled=0 IsHidden=0", 15, `"IsHidden" stands where`, `"and", "or"`},
		{"(IsInstalled=0 IsHidden=0)", 16, `"IsHidden" stands where`, `"and" or ")"`},
		{"IsInstalled=0 & IsHidden=0", 15, `"&" stands where`, `"and", "or"`},
		{"IsInstalled=0 and", 18, "a criterion is missing", "IsInstalled=0"},
		{"or IsInstalled=0", 1, `a criterion is missing before "or"`, "IsInstalled=0"},
		{"IsHidden=0 and AND IsInstalled=0", 16, `missing before "AND"`, "IsInstalled=0"},
		{"()", 2, `")" stands where a criterion should`, "IsInstalled=0"},
		{"IsInstalled=0 \u00a0and IsHidden=0", 15, "stands where", `"and"`},
		{"Type='Söftware' and Ix=1", 6, "is no value of Type", "'Software'"},
		{"Type=''Software'' and UpdateID='" + id + "'", 32, "some quotes are doubled", "all single"},
		{"Type='''Software'''", 9, "the quote at column 6 is not closed", "Software"},
		{strings.Repeat("(", 17) + "IsHidden=0", 17, "too many parentheses", "16"},
		{strings.Repeat("IsHidden=0 and ", 300) + "IsHidden=0", 2001, "too long", "2000"},
	} {
		_, err := criteria.Parse(c.text)
		var e *criteria.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if e.Column != c.column || !strings.Contains(e.Problem, c.problem) || !strings.Contains(e.Allowed, c.allowed) {
			t.Errorf("%s\n got column %d, %s; allowed: %s\nwant column %d, %s; %s", c.text, e.Column, e.Problem, e.Allowed, c.column, c.problem, c.allowed)
		}
	}
}

func TestTheFormForSelfUpdatingIsRecognisedAndConvertedBothWays(t *testing.T) {
	t.Parallel()
	const one, two = "IsInstalled=0 and Type='Software'", "IsInstalled=0 and Type=''Software''"
	q, err := criteria.Parse(two)
	if err != nil || !q.Doubled || q.String() != one || q.ForSelfUpdating() != two {
		t.Errorf("%s doubled %t: %s | %s, %v", two, q.Doubled, q, q.ForSelfUpdating(), err)
	}
	if q, err = criteria.Parse(one); err != nil || q.Doubled || q.ForSelfUpdating() != two {
		t.Errorf("%s doubled %t: %s, %v", one, q.Doubled, q.ForSelfUpdating(), err)
	}
}

// term draws any term that stands by itself.
func term(t *rapid.T) criteria.Group {
	c := rapid.SampledFrom(criteria.All()).Draw(t, "criterion")
	op := rapid.SampledFrom(c.Ops).Draw(t, "op")
	guid := rapid.StringMatching(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).Draw(t, "guid")
	value := ""
	switch c.Type {
	case criteria.Words:
		value = rapid.SampledFrom(c.Values).Draw(t, "word")
	case criteria.GUID:
		value = guid
	case criteria.Truth:
		value = rapid.SampledFrom([]string{"0", "1"}).Draw(t, "truth")
	case criteria.Number:
		return criteria.Group{{Name: "UpdateID", Op: criteria.Equal, Value: guid}, {Name: c.Name, Op: op, Value: "17"}}
	}
	return criteria.Group{{Name: c.Name, Op: op, Value: value}}
}

func TestAQueryThatIsWrittenReadsAsItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var q criteria.Query
		for range rapid.IntRange(1, 4).Draw(t, "groups") {
			var g criteria.Group
			revision := false
			for range rapid.IntRange(1, 5).Draw(t, "terms") {
				next := term(t)
				if len(next) == 1 && next[0].Name == "UpdateID" && next[0].Op == criteria.NotEqual {
					continue
				}
				revision = revision || len(next) > 1
				g = append(g, next...)
			}
			if len(g) == 0 {
				g = criteria.Group{{Name: "IsHidden", Op: criteria.Equal, Value: "0"}}
			}
			q.Groups = append(q.Groups, g)
		}
		for _, text := range []string{q.String(), q.ForSelfUpdating(), strings.ToUpper(q.String()), " " + strings.ReplaceAll(q.String(), "='", "=\t'") + " "} {
			back, err := criteria.Parse(text)
			if err != nil || back.String() != q.String() || back.ForSelfUpdating() != q.ForSelfUpdating() {
				t.Fatalf("%s\n got %s, %v", text, back, err)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1", "(IsInstalled=0) or (RebootRequired=1)", "Type=''Driver''",
		"UpdateID='" + id + "' and RevisionNumber=100", "CategoryIDs contains '" + id + "'", "((((IsHidden=0))))", "IsHidden=0 or", "Type!='\x00'", "\xff=1", "IsInstalled=99999999999999999999",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := criteria.Parse(text)
		var e *criteria.Error
		switch {
		case errors.As(err, &e):
			if e.Column < 1 || e.Column > len([]rune(text))+1 || e.Problem == "" || e.Allowed == "" || len(e.Problem) > 300 || strings.ContainsFunc(e.Error(), unicode.IsControl) {
				t.Fatalf("%q: %+v", text, e)
			}
		case err != nil:
			t.Fatalf("%q: an error without a column: %v", text, err)
		default:
			back, err := criteria.Parse(q.String())
			if err != nil || back.String() != q.String() {
				t.Fatalf("%q reads as %q, which reads as %q, %v", text, q, back, err)
			}
			if back, err = criteria.Parse(q.ForSelfUpdating()); err != nil || back.String() != q.String() {
				t.Fatalf("%q doubled reads as %q, %v", text, back, err)
			}
		}
	})
}
