package hotfix_test

import (
	"testing"

	"cau/plugins"
	"cau/plugins/hotfix"
)

func TestTheDocumentedArgumentsAreTakenInEverySpellingWithTheirDefaults(t *testing.T) {
	specs := (&hotfix.Plugin{}).Options()
	root := plugins.Argument{Name: "hotfixRootFolderPath", Value: `\\fs1\h\root`}
	got, problems := plugins.Resolve(specs, []plugins.Argument{root})
	if len(problems) > 0 || got["HotfixRootFolderPath"] != root.Value || got.Bool("RequireSMBEncryption") || got.Bool("DisableAclChecks") || got.Int("HotfixInstallerTimeoutMinutes") != 30 || got["HotfixConfigFileName"] != "DefaultHotfixConfig.xml" {
		t.Errorf("%v %v", got, problems)
	}
	// The cmdlet's help and the plug-in's page spell it differently.
	for _, name := range []string{"RequireSMBEncryption", "RequireSmbEncryption", "requiresmbencryption"} {
		got, problems = plugins.Resolve(specs, []plugins.Argument{root, {Name: name, Value: "true"}, {Name: "disableaclchecks", Value: "TRUE"}, {Name: "HOTFIXINSTALLERTIMEOUTMINUTES", Value: "90"}, {Name: "hotfixconfigfilename", Value: "own.xml"}})
		if len(problems) > 0 || !got.Bool("RequireSMBEncryption") || !got.Bool("DisableAclChecks") || got.Int("HotfixInstallerTimeoutMinutes") != 90 || got["HotfixConfigFileName"] != "own.xml" {
			t.Errorf("%s: %v %v", name, got, problems)
		}
	}
	if _, problems = plugins.Resolve(specs, []plugins.Argument{root, {Name: "RequireSMBEncryption", Value: "True"}, {Name: "RequireSmbEncryption", Value: "False"}}); len(problems) != 1 || problems[0].Problem != "is given twice" {
		t.Errorf("%v", problems)
	}
	for name, value := range map[string]string{"HotfixInstallerTimeoutMinutes": "0", "DisableAclChecks": "yes", "HotfixRootFolderPath": ""} {
		given := []plugins.Argument{{Name: name, Value: value}}
		if name != "HotfixRootFolderPath" {
			given = append(given, root)
		}
		if _, problems := plugins.Resolve(specs, given); len(problems) != 1 || problems[0].Name != name {
			t.Errorf("%s=%s: %v", name, value, problems)
		}
	}
}
