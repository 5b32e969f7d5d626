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

// envelope is the part of a request that the service acts on. Names are matched without their
// namespaces: clients use many prefixes, and no two elements here share a name.
type envelope struct {
	Header struct {
		Action           string   `xml:"Action"`
		MessageID        string   `xml:"MessageID"`
		ResourceURI      string   `xml:"ResourceURI"`
		OperationTimeout string   `xml:"OperationTimeout"`
		MaxEnvelopeSize  string   `xml:"MaxEnvelopeSize"`
		Selectors        []named  `xml:"SelectorSet>Selector"`
		Options          []named  `xml:"OptionSet>Option"`
		Unknown          []ignore `xml:",any"`
	} `xml:"Header"`
	Body struct {
		Identify *struct{} `xml:"Identify"`
		Shell    *struct {
			InputStreams  string `xml:"InputStreams"`
			OutputStreams string `xml:"OutputStreams"`
			IdleTimeOut   string `xml:"IdleTimeOut"`
		} `xml:"Shell"`
		CommandLine *struct {
			Command   string   `xml:"Command"`
			Arguments []string `xml:"Arguments"`
		} `xml:"CommandLine"`
		Receive *struct {
			Desired struct {
				CommandID string `xml:"CommandId,attr"`
				Streams   string `xml:",chardata"`
			} `xml:"DesiredStream"`
		} `xml:"Receive"`
		Send *struct {
			Streams []struct {
				Name      string `xml:"Name,attr"`
				CommandID string `xml:"CommandId,attr"`
				End       string `xml:"End,attr"`
				Data      string `xml:",chardata"`
			} `xml:"Stream"`
		} `xml:"Send"`
		Signal *struct {
			CommandID string `xml:"CommandId,attr"`
			Code      string `xml:"Code"`
		} `xml:"Signal"`
	} `xml:"Body"`
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
