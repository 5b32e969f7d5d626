//go:build race

package e2e_test

func init() { raced = true } //nolint:gochecknoinits // the only way to know of the detector
