package engine

import (
	"reflect"
	"testing"
)

// A state that is written and read must be the state that it was, or a run goes on from another one than it had.
func TestAStateHoldsNothingThatJSONLeavesOut(t *testing.T) {
	var walk func(rt reflect.Type, at string, seen map[reflect.Type]bool)
	walk = func(rt reflect.Type, at string, seen map[reflect.Type]bool) {
		switch rt.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			walk(rt.Elem(), at+"[]", seen)
		case reflect.Interface, reflect.Func, reflect.Chan:
			t.Errorf("%s is a %s", at, rt.Kind())
		case reflect.Struct:
			if seen[rt] || rt.PkgPath() == "time" {
				return
			}
			seen[rt] = true
			for i := range rt.NumField() {
				f := rt.Field(i)
				if tag := f.Tag.Get("json"); !f.IsExported() || tag == "-" || tag == "" && !f.Anonymous {
					t.Errorf("%s.%s is not written: exported %v, tag %q", at, f.Name, f.IsExported(), tag)
				}
				walk(f.Type, at+"."+f.Name, seen)
			}
		default:
		}
	}
	walk(reflect.TypeFor[State](), "State", map[reflect.Type]bool{})
}
