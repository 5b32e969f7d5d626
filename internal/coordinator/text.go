package coordinator

import (
	"strings"

	"cau/internal/message"
)

// oneLine makes text from outside one line that is safe for a terminal (R33).
func oneLine(s string) string { return message.Clean(strings.ReplaceAll(s, "\n", " ")) }
