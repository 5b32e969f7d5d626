//go:build !linux

package coordinator

import (
	"context"
	"runtime"
)

func platformSurvey(context.Context) surroundings { return surroundings{goos: runtime.GOOS} }

func (d decision) prove(int) error { return nil }
