package wsman

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"cau/internal/fault"
)

// Namespaces and actions of the answers we read.
const (
	nsEnvelope   = "http://www.w3.org/2003/05/soap-envelope"
	nsAddressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
	nsShell      = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
	nsWSManFault = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"

	actionFault     = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
	actionAddrFault = nsAddressing + "/fault"
	stateDone       = nsShell + "/CommandState/Done"
	stateRunning    = nsShell + "/CommandState/Running"
	statePending    = nsShell + "/CommandState/Pending"
)

// Bounds of an answer. WinRM's own stay far below them.
const (
	maxDepth      = 32
	maxElements   = 8192
	maxAttributes = 32
)

// envelope is an answer as far as we look into it. It exists because the parsers behind it search whole documents,
// ignore what they do not understand and crash on what is cut: they only see what went through readEnvelope.
type envelope struct {
	action  string
	fault   *Fault
	streams []stream
	state   *commandState
}

type stream struct{ name, commandID, content string }

type commandState struct{ commandID, state, exit string }

// paths of everything that a later search must not find anywhere else.
const (
	pathAction = "s:Envelope/s:Header/a:Action"
	pathFault  = "s:Envelope/s:Body/s:Fault"
	pathDetail = pathFault + "/s:Detail/"
	pathStream = "s:Envelope/s:Body/rsp:ReceiveResponse/rsp:Stream"
	pathState  = "s:Envelope/s:Body/rsp:ReceiveResponse/rsp:CommandState"
	pathExit   = pathState + "/rsp:ExitCode"
)

// readEnvelope checks that body is one whole, bounded SOAP envelope without anything a SOAP message must not have
// (DTD, processing instructions, comments), and takes out what we judge ourselves.
func readEnvelope(body []byte) (*envelope, error) {
	r := &envelopeReader{env: &envelope{}}
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the answer is not XML: %w", err)
		}
		if err := r.take(token); err != nil {
			return nil, err
		}
	}
	if len(r.path) > 0 || r.elements == 0 {
		return nil, errors.New("the answer is cut")
	}
	if a := r.env.action; r.env.fault == nil && (a == actionFault || a == actionAddrFault) {
		r.env.fault = &Fault{}
	}
	return r.env, nil
}

// envelopeReader walks one answer.
type envelopeReader struct {
	env      *envelope
	path     []string
	text     strings.Builder
	elements int
	leaf     bool // no child seen since the last start
}

func (r *envelopeReader) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return r.start(t)
	case xml.EndElement:
		return r.end()
	case xml.CharData:
		if len(r.path) == 0 && len(bytes.TrimSpace(t)) > 0 {
			return errors.New("the answer has text outside its envelope")
		}
		r.text.Write(t)
		return nil
	case xml.ProcInst:
		if t.Target == "xml" && r.elements == 0 {
			return nil
		}
	}
	return errors.New("the answer holds what no SOAP message may hold")
}

func (r *envelopeReader) start(t xml.StartElement) error {
	r.elements++
	if len(r.path) == 0 && r.elements > 1 || len(r.path) == maxDepth || r.elements > maxElements || len(t.Attr) > maxAttributes {
		return errors.New("the answer is not one envelope of a sane size")
	}
	r.path = append(r.path, shortName(t.Name))
	r.text.Reset()
	r.leaf = true
	where, name := r.where(), r.path[len(r.path)-1]
	switch {
	case len(r.path) == 1 && name != "s:Envelope":
		return errors.New("the answer is not a SOAP envelope")
	case where == pathFault:
		if r.env.fault != nil {
			return errors.New("the answer holds two faults")
		}
		r.env.fault = &Fault{}
	case where == pathStream:
		r.env.streams = append(r.env.streams, stream{name: attribute(t, "Name"), commandID: attribute(t, "CommandId")})
	case where == pathState:
		if r.env.state != nil {
			return errors.New("the answer holds two command states")
		}
		r.env.state = &commandState{commandID: attribute(t, "CommandId"), state: attribute(t, "State")}
	case strings.HasPrefix(where, pathDetail) && name == "f:WSManFault" && r.env.fault.Code == 0:
		if code, err := strconv.ParseInt(attribute(t, "Code"), 10, 64); err == nil {
			r.env.fault.Code = fault.CodeOf(code)
		}
	case where != pathAction && name == "a:Action",
		where != pathExit && name == "rsp:ExitCode",
		name == "rsp:Stream", attribute(t, "State") != "" && r.env.fault == nil:
		return fmt.Errorf("the answer has %s where it does not belong", printable(name, 40))
	}
	return nil
}

func (r *envelopeReader) end() error {
	where, name := r.where(), r.path[len(r.path)-1]
	r.path = r.path[:len(r.path)-1]
	text := r.text.String()
	switch {
	case (where == pathStream || where == pathExit || where == pathAction) && !r.leaf:
		return fmt.Errorf("%s holds elements instead of text", name)
	case where == pathStream:
		r.env.streams[len(r.env.streams)-1].content = text
	case where == pathExit:
		if r.env.state.exit != "" {
			return errors.New("the answer holds two exit codes")
		}
		r.env.state.exit = text
	case where == pathAction:
		if r.env.action != "" {
			return errors.New("the answer holds two actions")
		}
		r.env.action = text
	case where == pathFault+"/s:Code/s:Subcode/s:Value":
		r.env.fault.Subcode = printable(text, 80)
	case where == pathFault+"/s:Reason/s:Text":
		r.env.fault.Reason = printable(text, 500)
	case strings.HasPrefix(where, pathDetail) && name == "f:Message" && printable(text, 1) != "":
		r.env.fault.Message = printable(text, 500)
	}
	r.text.Reset()
	r.leaf = false
	return nil
}

func (r *envelopeReader) where() string { return strings.Join(r.path, "/") }

// shortName gives a qualified name with a prefix of ours; a foreign one cannot be mistaken for it.
func shortName(n xml.Name) string {
	switch n.Space {
	case nsEnvelope:
		return "s:" + n.Local
	case nsAddressing:
		return "a:" + n.Local
	case nsShell:
		return "rsp:" + n.Local
	case nsWSManFault:
		return "f:" + n.Local
	default:
		return "?"
	}
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// readFault gives the fault in body, or nil.
func readFault(op string, status int, body []byte) *Fault {
	env, err := readEnvelope(body)
	if err == nil && env.fault != nil {
		env.fault.Op, env.fault.Status = op, status
		return env.fault
	}
	return nil
}

// output checks the streams and the state of a ReceiveResponse against the command it must belong to. It gives the
// number of bytes in the streams, and, when done, the exit code as 32 bits (R20).
func (e *envelope) output(commandID string) (size int, done bool, exit int32, err error) {
	for _, s := range e.streams {
		if !strings.EqualFold(s.commandID, commandID) {
			return 0, false, 0, errors.New("the answer carries another command's output")
		}
		if s.name != "stdout" && s.name != "stderr" {
			return 0, false, 0, errors.New("the answer carries an unknown stream")
		}
		data, err := base64.StdEncoding.DecodeString(s.content)
		if err != nil {
			return 0, false, 0, errors.New("a stream of the answer is not base64")
		}
		size += len(data)
	}
	if e.state == nil {
		return size, false, 0, nil
	}
	if !strings.EqualFold(e.state.commandID, commandID) {
		return 0, false, 0, errors.New("the answer carries another command's state")
	}
	if !slices.Contains([]string{stateDone, stateRunning, statePending}, e.state.state) {
		return 0, false, 0, errors.New("the answer carries an unknown command state")
	}
	if e.state.state != stateDone {
		return size, false, 0, nil
	}
	code, err := strconv.ParseInt(e.state.exit, 10, 64)
	if err != nil || code < -1<<31 || code >= 1<<32 {
		return 0, false, 0, errors.New("the command ended without a readable exit code")
	}
	return size, true, fault.CodeOf(code).Int32(), nil
}
