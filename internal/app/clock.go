package app

import (
	"context"
	"time"

	"cau/internal/lab"
)

// realClock is time as it passes.
type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) Sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, d) }

// labClock is a lab's model time, which runs faster than real time.
type labClock struct{ lab lab.Info }

func (c labClock) Now() time.Time { return c.lab.Now(time.Now()) }

func (c labClock) Sleep(ctx context.Context, d time.Duration) error {
	return sleep(ctx, time.Duration(float64(d)/c.lab.Speed))
}

func sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
