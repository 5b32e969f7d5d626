package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
)

// StateShape stands for what a State holds: two programs whose states differ in any field have different ones, so that a
// state that one of them wrote is not taken for the other's. A field that is not written as JSON is part of it too, and a
// test keeps States without any.
func StateShape() string {
	var b strings.Builder
	writeShape(&b, reflect.TypeFor[State](), map[reflect.Type]bool{})
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

func writeShape(b *strings.Builder, t reflect.Type, seen map[reflect.Type]bool) {
	fmt.Fprintf(b, "%s %s", t.String(), t.Kind())
	if seen[t] {
		return
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		b.WriteString("[")
		writeShape(b, t.Elem(), seen)
		b.WriteString("]")
	case reflect.Map:
		b.WriteString("[")
		writeShape(b, t.Key(), seen)
		writeShape(b, t.Elem(), seen)
		b.WriteString("]")
	case reflect.Struct:
		if t.PkgPath() == "time" {
			return
		}
		b.WriteString("{")
		for i := range t.NumField() {
			f := t.Field(i)
			fmt.Fprintf(b, "%s %q ", f.Name, f.Tag.Get("json"))
			writeShape(b, f.Type, seen)
			b.WriteString(";")
		}
		b.WriteString("}")
	default:
	}
}

// Clone is a state that shares nothing with s that Apply writes to.
func (s *State) Clone() State { return s.clone() }
