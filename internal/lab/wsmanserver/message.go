package wsmanserver

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

const shellNamespace = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"

// envelope is the part of a request that the service acts on, by its namespaces, as Windows reads it.
type envelope struct {
	XMLName xml.Name `xml:"http://www.w3.org/2003/05/soap-envelope Envelope"`
	Header  struct {
		Action           string   `xml:"http://schemas.xmlsoap.org/ws/2004/08/addressing Action"`
		MessageID        string   `xml:"http://schemas.xmlsoap.org/ws/2004/08/addressing MessageID"`
		ResourceURI      string   `xml:"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd ResourceURI"`
		OperationTimeout string   `xml:"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd OperationTimeout"`
		MaxEnvelopeSize  string   `xml:"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd MaxEnvelopeSize"`
		Selectors        []named  `xml:"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd SelectorSet>Selector"`
		Options          []named  `xml:"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd OptionSet>Option"`
		Unknown          []ignore `xml:",any"`
	} `xml:"http://www.w3.org/2003/05/soap-envelope Header"`
	Body struct {
		Identify *struct{} `xml:"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd Identify"`
		Shell    *struct {
			InputStreams  string `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell InputStreams"`
			OutputStreams string `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell OutputStreams"`
			IdleTimeOut   string `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell IdleTimeOut"`
		} `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Shell"`
		CommandLine *struct {
			Command   string   `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Command"`
			Arguments []string `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Arguments"`
		} `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell CommandLine"`
		Receive *struct {
			Desired struct {
				CommandID string `xml:"CommandId,attr"`
				Streams   string `xml:",chardata"`
			} `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell DesiredStream"`
		} `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Receive"`
		Send *struct {
			Streams []struct {
				Name      string `xml:"Name,attr"`
				CommandID string `xml:"CommandId,attr"`
				End       string `xml:"End,attr"`
				Data      string `xml:",chardata"`
			} `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Stream"`
		} `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Send"`
		Signal *struct {
			CommandID string `xml:"CommandId,attr"`
			Code      string `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Code"`
		} `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Signal"`
	} `xml:"http://www.w3.org/2003/05/soap-envelope Body"`
}

type named struct {
	Name  string `xml:"Name,attr"`
	Value string `xml:",chardata"`
}

type ignore struct{}

// parse reads one envelope; anything behind it is an error.
func parse(message []byte) (*envelope, error) {
	d := xml.NewDecoder(bytes.NewReader(message))
	var e envelope
	if err := d.Decode(&e); err != nil {
		return nil, err
	}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return &e, nil
		}
		if err != nil {
			return nil, err
		}
		if text, ok := token.(xml.CharData); ok && len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		return nil, errors.New("data behind the envelope")
	}
}

func (e *envelope) shellID() string {
	for _, s := range e.Header.Selectors {
		if s.Name == "ShellId" {
			return strings.TrimSpace(s.Value)
		}
	}
	return ""
}

// option is the value of one of the client's options, or empty.
func (e *envelope) option(name string) string {
	for _, o := range e.Header.Options {
		if strings.EqualFold(o.Name, name) {
			return strings.TrimSpace(o.Value)
		}
	}
	return ""
}

// operation names the message as faults do: the end of its action, or Identify, which has none.
func (e *envelope) operation() string {
	if e.Body.Identify != nil {
		return "Identify"
	}
	action := strings.TrimSpace(e.Header.Action)
	return action[strings.LastIndexByte(action, '/')+1:]
}

// checkHeader refuses what a client asks for beyond the quotas.
func (e *envelope) checkHeader(q Quotas) *fault {
	if text := strings.TrimSpace(e.Header.OperationTimeout); text != "" {
		if d, ok := duration(text); !ok || d > q.MaxTimeout {
			return errTimeout()
		}
	}
	if n, err := strconv.Atoi(strings.TrimSpace(e.Header.MaxEnvelopeSize)); err == nil && n < minEnvelope {
		return errSmallEnvelope()
	}
	return nil
}

// timeout is the client's OperationTimeout, at most the quota.
func (e *envelope) timeout(most time.Duration) time.Duration {
	d, ok := duration(e.Header.OperationTimeout)
	if !ok || d > most {
		return most
	}
	return d
}

// maxEnvelope is how large the answer may be, in bytes.
func (e *envelope) maxEnvelope(limit int) int {
	n, err := strconv.Atoi(strings.TrimSpace(e.Header.MaxEnvelopeSize))
	if err != nil || n <= 0 || n > limit {
		return limit
	}
	return n
}

// duration reads the ISO 8601 durations that clients send: days to seconds, such as PT20S or PT1M30.5S.
func duration(s string) (time.Duration, bool) {
	s, ok := strings.CutPrefix(strings.TrimSpace(s), "P")
	if !ok || s == "" || len(s) > 32 {
		return 0, false
	}
	days, clock, _ := strings.Cut(s, "T")
	var total float64
	take := func(rest, unit string, seconds float64) (string, bool) {
		number, after, found := strings.Cut(rest, unit)
		if !found {
			return rest, true
		}
		v, err := strconv.ParseFloat(number, 64)
		if err != nil || v < 0 || v > 1e6 {
			return rest, false
		}
		total += v * seconds
		return after, true
	}
	days, ok = take(days, "D", 86400)
	if !ok || days != "" {
		return 0, false
	}
	for _, u := range []struct {
		unit    string
		seconds float64
	}{{"H", 3600}, {"M", 60}, {"S", 1}} {
		if clock, ok = take(clock, u.unit, u.seconds); !ok {
			return 0, false
		}
	}
	if clock != "" || total > 1e8 {
		return 0, false
	}
	return time.Duration(total * float64(time.Second)), true
}

// decodeStream gives the bytes of a Send; clients may break the lines.
func decodeStream(text string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
		if r == ' ' || r == '\r' || r == '\n' || r == '\t' {
			return -1
		}
		return r
	}, text))
}
