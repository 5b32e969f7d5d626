package hotfixcfg

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"cau/internal/fault"
)

// canonical writes a configuration in our own form. The frame follows the documented element names;
// the root's name is ours, because Microsoft's is not public.
func canonical(c *Config) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>
<!-- Rules by which hotfixes are installed. A program without a folder lies in %SystemRoot%\System32;
     $update$ becomes the update's path in double quotes; an exit code that is not listed here is a
     failure without restart. %CAU_LOG% is a path for the installer's log, which cau alone gives. -->
<HotfixConfig>
  <DefaultRules>
    <ExtensionRules>
`)
	c.writeRules(&b, ExtensionRule, elExtension)
	b.WriteString("    </ExtensionRules>\n    <FolderRules>\n")
	c.writeRules(&b, FolderRule, elFolder)
	b.WriteString("    </FolderRules>\n  </DefaultRules>\n</HotfixConfig>\n")
	return b.Bytes()
}

func (c *Config) writeRules(b *bytes.Buffer, kind Kind, tag string) {
	for _, r := range c.Rules {
		if r.Kind != kind {
			continue
		}
		always := ""
		if r.AlwaysReboot {
			always = ` alwaysReboot="true"`
		}
		fmt.Fprintf(b, "      <%s name=\"%s\"%s>\n", tag, escaped(r.Name), always)
		fmt.Fprintf(b, "        <Template path=\"%s\"", escaped(r.Template.Path))
		if r.Template.Parameters != "" {
			fmt.Fprintf(b, " parameters=\"%s\"", escaped(r.Template.Parameters))
		}
		b.WriteString("/>\n        <ExitConditions>\n")
		for _, condition := range conditionNames() {
			writeCodes(b, condition, *r.Exit.list(condition))
		}
		fmt.Fprintf(b, "        </ExitConditions>\n      </%s>\n", tag)
	}
}

func writeCodes(b *bytes.Buffer, condition string, codes []fault.Code) {
	if len(codes) == 0 {
		return
	}
	var shown, names []string
	for _, code := range codes {
		// Win32 codes are known by their decimal number, HRESULTs by their hex one.
		number := code.Hex()
		if code <= 0xFFFF {
			number = strconv.FormatUint(uint64(code), 10)
		}
		shown = append(shown, number)
		if name := code.Name(); name != "" {
			names = append(names, number+" "+name)
		}
	}
	fmt.Fprintf(b, "          <%s>%s</%s>", condition, strings.Join(shown, ", "), condition)
	if len(names) > 0 {
		fmt.Fprintf(b, " <!-- %s -->", strings.Join(names, ", "))
	}
	b.WriteByte('\n')
}

func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer takes everything
	return b.String()
}
