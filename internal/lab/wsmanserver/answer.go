package wsmanserver

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strconv"
)

const (
	actionTransfer = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
	actionShell    = shellNamespace + "/"
	actionFault    = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
	stateDone      = shellNamespace + "/CommandState/Done"
	stateRunning   = shellNamespace + "/CommandState/Running"
	resourceCmd    = shellNamespace + "/cmd"
	anonymous      = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
)

// wrap makes an envelope around a body of our own XML.
func wrap(action, relatesTo, body string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope" `+
		`xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer" `+
		`xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:rsp="%s" xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd">`+
		`<s:Header><a:Action>%s</a:Action><a:MessageID>uuid:%s</a:MessageID><a:To>%s</a:To><a:RelatesTo>%s</a:RelatesTo></s:Header>`+
		`<s:Body>%s</s:Body></s:Envelope>`, shellNamespace, action, newID(), anonymous, escape(relatesTo), body)
	return b.Bytes()
}

// escape makes text safe inside our XML.
func escape(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}

// newID is a random version 4 UUID in the upper-case form that Windows uses.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0F | 0x40
	b[8] = b[8]&0x3F | 0x80
	return fmt.Sprintf("%X-%X-%X-%X-%X", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func answerFault(f *fault, relatesTo, machine string) []byte {
	who := "s:Receiver"
	if f.sender {
		who = "s:Sender"
	}
	return wrap(actionFault, relatesTo, fmt.Sprintf(
		`<s:Fault><s:Code><s:Value>%s</s:Value><s:Subcode><s:Value>%s</s:Value></s:Subcode></s:Code>`+
			`<s:Reason><s:Text xml:lang="en-US">%s</s:Text></s:Reason><s:Detail>`+
			`<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="%d" Machine="%s"><f:Message>%s</f:Message></f:WSManFault>`+
			`</s:Detail></s:Fault>`, who, f.subcode, escape(f.message), f.code, escape(machine), escape(f.message)))
}

func answerIdentify(version string) string {
	return `<wsmid:IdentifyResponse xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">` +
		`<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>` +
		`<wsmid:ProductVendor>cau lab (simulated)</wsmid:ProductVendor>` +
		`<wsmid:ProductVersion>OS: ` + version + ` SP: 0.0 Stack: 3.0</wsmid:ProductVersion></wsmid:IdentifyResponse>`
}

func answerCreate(id, user string, idle int) string {
	return fmt.Sprintf(`<x:ResourceCreated><a:Address>%s</a:Address><a:ReferenceParameters><w:ResourceURI>%s</w:ResourceURI>`+
		`<w:SelectorSet><w:Selector Name="ShellId">%s</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>`+
		`<rsp:Shell><rsp:ShellId>%s</rsp:ShellId><rsp:ResourceUri>%s</rsp:ResourceUri><rsp:Owner>%s</rsp:Owner>`+
		`<rsp:IdleTimeOut>PT%d.000S</rsp:IdleTimeOut><rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>`,
		anonymous, resourceCmd, id, id, resourceCmd, escape(user), idle)
}

func answerCommand(id string) string {
	return `<rsp:CommandResponse><rsp:CommandId>` + id + `</rsp:CommandId></rsp:CommandResponse>`
}

// output is what one Receive hands over.
type output struct {
	stdout, stderr []byte
	done           bool
	exit           int64
}

func answerReceive(commandID string, o output) string {
	var b bytes.Buffer
	b.WriteString(`<rsp:ReceiveResponse>`)
	stream := func(name string, data []byte) {
		if len(data) > 0 {
			fmt.Fprintf(&b, `<rsp:Stream Name="%s" CommandId="%s">%s</rsp:Stream>`, name, commandID, base64.StdEncoding.EncodeToString(data))
		}
		if o.done {
			fmt.Fprintf(&b, `<rsp:Stream Name="%s" CommandId="%s" End="true"></rsp:Stream>`, name, commandID)
		}
	}
	stream("stdout", o.stdout)
	stream("stderr", o.stderr)
	if o.done {
		fmt.Fprintf(&b, `<rsp:CommandState CommandId="%s" State="%s"><rsp:ExitCode>%s</rsp:ExitCode></rsp:CommandState>`,
			commandID, stateDone, strconv.FormatInt(o.exit, 10))
	} else {
		fmt.Fprintf(&b, `<rsp:CommandState CommandId="%s" State="%s"></rsp:CommandState>`, commandID, stateRunning)
	}
	b.WriteString(`</rsp:ReceiveResponse>`)
	return b.String()
}
